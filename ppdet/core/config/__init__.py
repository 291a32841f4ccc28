"""From YAML to objects: read, merge, override, check, build."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "Builder": "builder",
        "Config": "load",
        "ConfigDict": "nodes",
        "ConfigList": "nodes",
        "Registry": "registry",
        "Spec": "nodes",
        "load_config": "load",
        "load_yaml": "yaml_loader",
        "parse_yaml": "yaml_loader",
        "register": "registry",
    },
)
