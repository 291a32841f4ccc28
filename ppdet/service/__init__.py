"""`ppdet serve`: poses over HTTP, for programs and for people with a browser.

Runs exported models, so it needs neither Paddle nor training code; FastAPI and uvicorn come with the extra `serve`.
"""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__, {"ServedModels": "served_models", "ServiceLimits": "limits", "create_app": "app", "run_server": "server"}
)
