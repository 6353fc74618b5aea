"""The log of a run: what is told to the user, and with the time to a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from interlingua.errors import StorageError


@dataclass(frozen=True)
class Log:
    """Says each line to the user, and writes it to a file.

    Attributes:
        path: The file.
        say: Called with each line.
    """

    path: Path
    say: Callable[[str], None]

    def __call__(self, line: str) -> None:
        """Say and write a line."""
        self.say(line)
        self.write(line)

    def write(self, line: str) -> None:
        """Write a line that the user need not see at once."""
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{stamp} {line}\n")
        except OSError as error:
            raise StorageError(f"cannot write the log '{self.path}': {error}") from None
