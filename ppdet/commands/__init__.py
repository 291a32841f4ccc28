"""Commands: parse arguments, call one library function. One module per command, in folders by what they are about; tools and
deploy/python only start them.
"""

from __future__ import annotations

__all__: list[str] = []
