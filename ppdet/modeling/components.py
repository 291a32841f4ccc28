"""Import this module to register every class of the model floor."""

from __future__ import annotations

from importlib import import_module

import ppdet.modeling as modeling

for _name in modeling.__all__:
    import_module(f"ppdet.modeling.{modeling._MODULES[_name]}")
