"""Scores that are computed once: JSON lines, a key and a value each, to which every result is added as it comes."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any


class ScoreFile:
    """A dictionary that outlives the process; without a path it does not."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._known: dict[str, Any] = {}
        if path is not None and path.exists():
            text = path.read_text(encoding="utf-8")
            if text and not text.endswith("\n"):
                with path.open("a", encoding="utf-8") as lines:
                    lines.write("\n")
            for line in text.splitlines():
                with suppress(ValueError):  # a line that was cut off
                    key, value = json.loads(line)
                    self._known[key] = value

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> Any:
        return self._known[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._known[key] = value
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps([key, value]) + "\n")
