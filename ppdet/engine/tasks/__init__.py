"""What each kind of model finds, and how it is deployed, predicted, evaluated and compared with its export."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "DeployedForm": "deployed_form",
        "ExportedModel": "exported_model",
    },
)
