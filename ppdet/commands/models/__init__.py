"""Commands about whole models: export, bundle, convert_weights, model_info, zoo, benchmark."""

from __future__ import annotations

__all__: list[str] = []
