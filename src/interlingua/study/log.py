"""The log file of a run: what the library logs while a study runs, each line with its time."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from interlingua.errors import StorageError


class StudyLog(logging.Handler):
    """Appends each line with its time to a file; unlike `logging.FileHandler` it raises errors.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(logging.INFO)
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        """Write what was logged."""
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        self.write(f"{level}{record.getMessage()}")

    def write(self, line: str) -> None:
        """Write a line that the user need not see at once.

        Raises:
            StorageError: The file cannot be written.
        """
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{stamp} {line}\n")
        except OSError as error:
            raise StorageError(f"cannot write the log '{self._path}': {error}") from None


@contextmanager
def study_log(path: Path) -> Generator[StudyLog]:
    """Append what the library logs to a file while the context lasts."""
    logger, log = logging.getLogger("interlingua"), StudyLog(path)
    level = logger.level
    logger.addHandler(log)
    if not logger.isEnabledFor(logging.INFO):
        logger.setLevel(logging.INFO)
    try:
        yield log
    finally:
        logger.setLevel(level)
        logger.removeHandler(log)
