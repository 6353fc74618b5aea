"""Where lines go: results to standard output, warnings and errors beside it."""

from __future__ import annotations

from rich.console import Console

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def say(line: str) -> None:
    """Print a line as it is, a warning to standard error."""
    (err if line.startswith("warning: ") else out).print(line, markup=False, soft_wrap=True)
