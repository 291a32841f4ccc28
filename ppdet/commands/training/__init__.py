"""Commands that take a config: train, eval, analyze, infer from weights, check_config."""

from __future__ import annotations

__all__: list[str] = []
