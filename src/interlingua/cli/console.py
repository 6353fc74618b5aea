"""Where lines go: results to standard output, warnings and errors to standard error."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from tqdm import tqdm

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
logger = logging.getLogger("interlingua")


def say(line: str) -> None:
    """Print a result as it is."""
    out.print(line, markup=False, soft_wrap=True)


class _BesideBars(logging.Handler):
    """Prints what the library logs above the progress bars that are there: warnings to standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            tqdm.write(f"{record.levelname.lower()}: {self.format(record)}", file=sys.stderr)
        else:
            tqdm.write(self.format(record), file=sys.stdout)
            sys.stdout.flush()


def _log_warning(message: Warning | str, *where: object, **file: object) -> None:
    """Log a warning of Python's as one of the library's, without the line of code that gave it."""
    logger.warning("%s", " ".join(str(message).split()))


@contextmanager
def log_shown() -> Generator[None]:
    """Show the library's log, from INFO on, while a command runs."""
    handler = _BesideBars()
    shown = warnings.showwarning
    warnings.showwarning = _log_warning  # ty: ignore[invalid-assignment]
    level, propagate = logger.level, logger.propagate
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield
    finally:
        warnings.showwarning = shown
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
