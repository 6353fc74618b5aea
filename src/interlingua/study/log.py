"""The log of a run: what is shown to the user, and with the time to a file."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from interlingua.errors import StorageError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Log:
    """Logs each line, and writes it to a file.

    Attributes:
        path: The file.
    """

    path: Path

    def info(self, line: str) -> None:
        """Log and write a line."""
        logger.info(line)
        self.write(line)

    def warning(self, line: str) -> None:
        """Log and write a line that warns."""
        logger.warning(line)
        self.write(f"warning: {line}")

    def write(self, line: str) -> None:
        """Write a line that the user need not see at once.

        Raises:
            StorageError: The file cannot be written.
        """
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{stamp} {line}\n")
        except OSError as error:
            raise StorageError(f"cannot write the log '{self.path}': {error}") from None
