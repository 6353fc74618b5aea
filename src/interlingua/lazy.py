"""Names that are imported when they are first used, so that what needs no torch does not wait for it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def imported_when_used(package: str, module_of: Mapping[str, str]) -> Callable[[str], Any]:
    """Return what a package takes as its `__getattr__`.

    Args:
        package: Its name.
        module_of: For each name that it exports, the module of the package that defines it; no module may have the name
            of what it defines, since the import of a module takes that name.
    """

    def get(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        return getattr(importlib.import_module(f"{package}.{module_of[name]}"), name)

    return get
