"""`python -m ppdet` is `ppdet`."""

from __future__ import annotations

from ppdet.commands.console.main import main

if __name__ == "__main__":
    raise SystemExit(main())
