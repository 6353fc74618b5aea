"""What is looked for in every corpus when it is opened: errors raise, the rest is kept on the corpus as data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from interlingua.errors import CorpusError

Kind = Literal["not NFC", "control characters", "invisible characters", "duplicates"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# Zero-width spaces and marks, and what turns the direction of text. Joiners are letters of Persian, Hindi and others.
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u061c\u2060\ufeff\u202a-\u202e\u2066-\u2069]")
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0\u034f"
"""Letters that show nothing: fillers of Hangul, the empty pattern of Braille, and a joiner of graphemes."""

_EXPLANATIONS: dict[Kind, str] = {
    "not NFC": "not in Unicode's form NFC, so that equal letters can differ in bytes",
    "control characters": "with control characters",
    "invisible characters": "with invisible characters: zero-width, or of the direction of text",
    "duplicates": "that repeat an earlier one, which makes retrieval ambiguous",
}


@dataclass(frozen=True)
class CorpusWarning:
    """Something that does not keep a corpus from being used, but that its user should know.

    Attributes:
        kind: What it is.
        part: Where: a language's code.
        count: How many lines have it.
        first: The first of them, counted from 1.

    Example:
        >>> print(CorpusWarning("duplicates", "spa_Latn", 2, 17))
        spa_Latn: 2 lines that repeat an earlier one, which makes retrieval ambiguous (first: line 17)
    """

    kind: Kind
    part: str
    count: int
    first: int

    def __str__(self) -> str:
        lines = "1 line" if self.count == 1 else f"{self.count:,} lines"
        explanation = _EXPLANATIONS[self.kind]
        if self.count == 1:
            explanation = explanation.replace("that repeat ", "that repeats ")
        return f"{self.part}: {lines} {explanation} (first: line {self.first})"


def find_warnings(part: str, lines: Sequence[str]) -> tuple[CorpusWarning, ...]:
    """Return what is unusual in the lines of one language.

    Example:
        >>> [warning.kind for warning in find_warnings("fra_Latn", ["e\u0301te\u0301", "oui", "oui"])]
        ['not NFC', 'duplicates']
    """
    found: dict[Kind, list[int]] = {
        "not NFC": [i for i, line in enumerate(lines) if not unicodedata.is_normalized("NFC", line)],
        "control characters": [i for i, line in enumerate(lines) if _CONTROL.search(line)],
        "invisible characters": [i for i, line in enumerate(lines) if _INVISIBLE.search(line)],
        "duplicates": repeats(lines),
    }
    return tuple(CorpusWarning(kind, part, len(at), at[0] + 1) for kind, at in found.items() if at)


def repeats(lines: Iterable[str]) -> list[int]:
    """Return the positions of lines that are equal to an earlier one.

    Example:
        >>> repeats(["yes", "no", "yes", "yes"])
        [2, 3]
    """
    seen: set[str] = set()
    positions = []
    for i, line in enumerate(lines):
        if line in seen:
            positions.append(i)
        seen.add(line)
    return positions


def is_blank(line: str) -> bool:
    """Tell whether a line shows nothing: it is empty, or has only spaces and characters that nobody can see.

    Example:
        >>> is_blank(" \u200b\u00a0"), is_blank("\u200byes")
        (True, False)
    """
    return all(
        letter.isspace() or letter in _BLANK_LETTERS or unicodedata.category(letter) in ("Cf", "Cc") for letter in line
    )


def require_no_empty(where: str, lines: Sequence[str], advice: str) -> None:
    """Raise at the first line that shows nothing.

    Raises:
        CorpusError: There is one; the message says where, and `advice`.
    """
    for i, line in enumerate(lines):
        if is_blank(line):
            raise CorpusError(f"{where} is empty in line {i + 1}; {advice}")


def require_text(where: str, values: Iterable[object]) -> tuple[str, ...]:
    """Return values as lines, their outer spaces removed.

    Raises:
        CorpusError: One of them is not text: a number, or nothing.
    """
    lines = []
    for i, value in enumerate(values):
        if not isinstance(value, str):
            raise CorpusError(f"{where}, row {i + 1}: {value!r} is not text")
        if broken := half_surrogate(value):
            raise CorpusError(f"{where}, row {i + 1}: {broken}")
        lines.append(value.strip())
    return tuple(lines)


def half_surrogate(text: str) -> str:
    r"""Return what is wrong with text that has half of a surrogate pair, which no file can hold; nothing otherwise.

    Example:
        >>> half_surrogate("a \ud83d")
        'it has U+D83D, one half of a character'
    """
    found = re.search("[\ud800-\udfff]", text)
    return f"it has U+{ord(found[0]):X}, one half of a character" if found else ""


def require_limit(limit: int | None) -> None:
    """Raise where a limit is below 1."""
    if limit is not None and limit < 1:
        raise CorpusError(f"limit must be at least 1, not {limit}")
