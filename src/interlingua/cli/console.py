"""Where lines go: results to standard output, everything else beside it."""

from __future__ import annotations

import logging
import sys

from rich.console import Console
from tqdm import tqdm

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def say(line: str) -> None:
    """Print a result as it is."""
    (err if line.startswith("warning: ") else out).print(line, markup=False, soft_wrap=True)


class _BesideBars(logging.Handler):
    """Prints what the library logs to standard error, above the progress bars that are there."""

    def emit(self, record: logging.LogRecord) -> None:
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        tqdm.write(f"{level}{record.getMessage()}", file=sys.stderr)


def show_log() -> None:
    """Show the library's log from INFO on; done once, by the command line."""
    logger = logging.getLogger("interlingua")
    logger.setLevel(logging.INFO)
    logger.handlers = [_BesideBars()]
    logger.propagate = False
