"""The version of the code that decides results, which is part of every key of kept results."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

DECIDING = (
    "models", "experts", "interventions", "measures", "alignment", "analysis", "study/cells", "study/conditions.py",
    "intervals.py", "languages.py",
)  # fmt: skip
"""The code that a kept result comes from; what is only shown, planned or said is not among it."""


@cache
def results_version() -> str:
    """Return a hash of the deciding code, without its comments and docstrings: equal hashes, equal results.

    Example:
        >>> len(results_version())
        16
    """
    package = Path(str(files("interlingua")))
    digest = hashlib.sha256()
    for part in DECIDING:
        path = package / part
        for file in [path] if path.suffix == ".py" else sorted(path.rglob("*.py")):
            digest.update(
                f"{file.relative_to(package).as_posix()}\n{code_of(file.read_text(encoding='utf-8'))}".encode()
            )
    return digest.hexdigest()[:16]


def code_of(source: str) -> str:
    """Return what a module does: its syntax tree without docstrings.

    Example:
        >>> code_of("x = 1  # one") == code_of("x=1")
        True
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_text(statement)]
    return ast.dump(tree)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
