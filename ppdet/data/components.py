"""Importing this module makes every dataset, transform and reader known to the registry."""

from __future__ import annotations

import importlib
import pkgutil

import ppdet.data.reader
import ppdet.data.sources
import ppdet.data.transforms

for _package in (ppdet.data.sources, ppdet.data.transforms):
    for _module in pkgutil.iter_modules(_package.__path__):
        importlib.import_module(f"{_package.__name__}.{_module.name}")
