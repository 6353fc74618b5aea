"""Text files: UTF-8, one sentence or one paragraph a line."""

from __future__ import annotations

import sys
from pathlib import Path

from interlingua.errors import CorpusError


def read_text(path: Path) -> str:
    """Read a text file, without a byte order mark and without the carriage returns before line ends.

    The path `-` is standard input.

    Raises:
        CorpusError: It cannot be read, or is not UTF-8; the message has the line.
    """
    piped = str(path) == "-"
    if path.exists() and not path.is_file() and not piped:
        raise CorpusError(f"'{path}' is not a regular file")
    try:
        data = sys.stdin.buffer.read() if piped else path.read_bytes()
    except OSError as error:
        raise CorpusError(f"cannot read '{path}': {error.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise CorpusError(f"'{path}' is not UTF-8: byte {error.start}, on line {line}") from None
    return text.replace("\r\n", "\n")


def read_lines(path: Path) -> tuple[str, ...]:
    """Read a text file, one sentence a line.

    Raises:
        CorpusError: It cannot be read, is not UTF-8, or is empty.
    """
    text = read_text(path)
    if not text.strip():
        raise CorpusError(f"'{path}' is empty; it needs one sentence a line")
    # Not str.splitlines: it also breaks at U+2028, U+0085 and the like, which occur inside sentences.
    return tuple(line.strip() for line in text.removesuffix("\n").split("\n"))


def read_fields(path: Path) -> list[list[str]]:
    """Read a file of tab-separated fields, without quoting: a `"` is text.

    Raises:
        CorpusError: It cannot be read, is not UTF-8, or a line has another number of fields than the first.
    """
    rows = [[field.strip() for field in line.split("\t")] for line in _raw_lines(path)]
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise CorpusError(f"'{path}' line {i + 1} has {len(row)} tab-separated fields, line 1 has {len(rows[0])}")
    return rows


def _raw_lines(path: Path) -> list[str]:
    text = read_text(path)
    if not text.strip():
        raise CorpusError(f"'{path}' is empty")
    return text.removesuffix("\n").split("\n")
