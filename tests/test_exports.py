"""What a public function takes and returns has a public name: `interlingua` exports the types of its signatures."""

import ast
import importlib
import inspect
import typing
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path

import pytest

import interlingua as il
from interlingua.study.sections import Section

ROOT = Path(il.__file__).parent
EXPORTED = {name: getattr(il, name) for name in il.__all__}


@cache
def imported_for_types():
    """Return what modules import for their signatures alone, by name: `get_type_hints` does not find it by itself."""
    found = {}
    for path in ROOT.rglob("*.py"):
        for block in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
                for node in ast.walk(block):
                    if isinstance(node, ast.ImportFrom):
                        found |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
    return found


class Names(dict):
    """Imports a name when a signature asks for it."""

    def __missing__(self, name):
        module, attribute = imported_for_types()[name]
        return getattr(importlib.import_module(module), attribute)


def signatures(name, exported):
    """Return what of a public name has a signature: itself, its public members, or the functions that it lists."""
    if isinstance(exported, Mapping):
        return {f"{name}[{key!r}]": function for key, function in exported.items()}
    if not inspect.isclass(exported):
        return {name: exported}
    found = {name: exported, f"{name}()": exported.__init__}
    for member in dir(exported):
        value = inspect.getattr_static(exported, member)
        if isinstance(value, property):
            value = value.fget
        elif isinstance(value, cached_property):
            value = value.func
        value = inspect.unwrap(getattr(value, "__func__", value))
        if not member.startswith("_") and getattr(value, "__module__", "").startswith("interlingua"):
            found[f"{name}.{member}"] = value
    return found


def classes_in(hint):
    """Return our classes that a hint names, within unions, mappings and callables too."""
    if inspect.isclass(hint) and hint.__module__.startswith("interlingua"):
        yield hint
    for part in hint if isinstance(hint, list) else typing.get_args(hint):
        yield from classes_in(part)


def needed(name):
    """Return our types in the signatures of a public name, each with the places that need it."""
    places = {}
    for place, function in signatures(name, EXPORTED[name]).items():
        for argument, hint in typing.get_type_hints(function, localns=Names()).items():
            if not argument.startswith("_"):
                for found in classes_in(hint):
                    places.setdefault(found, []).append(f"{place}: {argument}")
    return places


@pytest.mark.parametrize("name", il.__all__)
def test_types_in_public_signatures_are_exported(name):
    lacking = {
        found.__qualname__: places
        for found, places in needed(name).items()
        if found not in EXPORTED.values() and not issubclass(found, Section)  # a section is given as a mapping
    }
    assert not lacking
