"""The shape of the code: modules import each other in one direction, and the map of CONTRIBUTING has all of them."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import interlingua

ROOT = Path(interlingua.__file__).parent


def name_of(path):
    parts = ("interlingua", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.rglob("*.py")}
ENTRANCES = {name_of(path) for path in ROOT.rglob("__init__.py")}


def imported(tree, through=True):
    """Return the modules that a module imports: a name taken from a room counts as the module that defines it."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("interlingua"):
            continue
        for alias in node.names:
            module = f"{node.module}.{alias.name}"
            if module not in TREES:
                module = node.module
                if module in ENTRANCES and through:
                    module = definer(module, alias.name)
            found.add(module)
    return found


def definer(room, name):
    for node in ast.walk(TREES[room]):
        if isinstance(node, ast.ImportFrom) and any(name == (alias.asname or alias.name) for alias in node.names):
            return definer(node.module, name) if node.module in ENTRANCES and node.module != room else node.module
    return room


def test_no_module_imports_in_a_circle_not_even_for_its_types():
    graph = {name: imported(tree) - {name} for name, tree in TREES.items() if name not in ENTRANCES}
    assert len(graph) > 100
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


def test_the_map_has_every_room_and_every_module_beside_them():
    contributing = Path(__file__).parents[1] / "CONTRIBUTING.md"
    rows = re.findall(r"^\| (`.*?) \|", contributing.read_text(encoding="utf-8"), re.MULTILINE)
    mapped = re.findall("`(.+?)`", " ".join(rows))
    rooms = {f"{path.parent.name}/" for path in ROOT.glob("*/__init__.py")}
    modules = {path.name for path in ROOT.glob("*.py")} - {"__init__.py"}
    assert sorted(mapped) == sorted({"studies/", "src/"} | rooms | modules)
