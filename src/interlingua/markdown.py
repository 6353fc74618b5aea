"""Markdown tables, escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pandas as pd


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[bool]) -> str:
    r"""Return a table for Markdown, whose texts are escaped.

    Args:
        headings: Of the columns.
        rows: The cells of each row.
        numbers: Which columns are set to the right.

    Example:
        >>> print(markdown_table(["model", "k"], [["a|b", "2,000"]], [False, True]))
        | model | k |
        |---|---:|
        | a\|b | 2,000 |
    """
    line = "|" + "".join("---:|" if number else "---|" for number in numbers)
    return "\n".join([_row(headings), line, *map(_row, rows)])


def markdown_frame(frame: pd.DataFrame, digits: int = 4) -> str:
    """Return a frame as a table for Markdown, its fractions with these digits."""
    cells = [
        [f"{value:.{digits}f}" if isinstance(value, float) else str(value) for value in row]
        for row in frame.itertuples(index=False)
    ]
    numbers = [pd.api.types.is_numeric_dtype(frame[column]) for column in frame]
    return markdown_table([str(column) for column in frame], cells, numbers)


def markdown_text(text: str) -> str:
    """Return a text in a line, escaped."""
    return re.sub(r"([|\\`*_<>])", r"\\\1", " ".join(text.split()))


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(map(markdown_text, cells)) + " |"
