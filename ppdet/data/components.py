"""Importing this module makes every dataset, transform and reader known to the registry."""

from __future__ import annotations

import importlib
import pkgutil

import ppdet.data.loading.reader
import ppdet.data.sources
import ppdet.data.transforms

for _package in (ppdet.data.sources, ppdet.data.transforms):
    for _module in pkgutil.walk_packages(_package.__path__, prefix=f"{_package.__name__}."):
        importlib.import_module(_module.name)
