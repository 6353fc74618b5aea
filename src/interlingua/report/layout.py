"""A table as it is read: columns with headings over a tidy frame, and each value as text with its marks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from interlingua.languages import language_name


@dataclass(frozen=True)
class Column:
    """How a column of a frame is shown.

    Attributes:
        name: The column of the frame.
        heading: What stands above it.
        digits: Of a number after the point, 0 for whole numbers with thousands apart; None for text.
        error: The column with its standard error, shown after a plus-minus sign.
        interval: The columns with the ends of its interval, shown in brackets.
        signed: Whether a plus sign is shown.
        language: Whether it holds codes of languages, shown by name, and in red where `unseen` says so.
        p: The column with its p-value, shown behind it.
    """

    name: str
    heading: str
    digits: int | None = None
    error: str | None = None
    interval: tuple[str, str] | None = None
    signed: bool = False
    language: bool = False
    p: str | None = None


@dataclass(frozen=True)
class Cell:
    """A value as it is read.

    Attributes:
        text: What is shown.
        order: What a column is sorted by: a number, or a text.
        number: Whether it is set to the right.
        unseen: A language that the model did not see in pre-training: red.
    """

    text: str
    order: float | str
    number: bool
    unseen: bool = False


@dataclass(frozen=True)
class PaperTable:
    """A table of the report.

    Attributes:
        name: Of its files.
        title: What it shows, and which of the paper's tables it is.
        note: How to read it.
        frame: Its numbers, tidy; every column that is not shown as well.
        columns: What is shown of it, from left to right.
        unseen: For each model, the languages that are marked.
    """

    name: str
    title: str
    note: str
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    unseen: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """Yield the table row by row."""
        for row in self.frame.to_dict("records"):
            yield tuple(self._cell(column, row) for column in self.columns)

    def _cell(self, column: Column, row: Mapping[Any, Any]) -> Cell:
        value = row[column.name]
        if column.digits is not None:
            text = _number(column, row)
            return Cell(text, float("-inf") if pd.isna(value) else float(value), True)
        if pd.isna(value):
            return Cell("", "", False)
        if not column.language:
            return Cell(str(value), str(value), False)
        title = language_name(value) if "_" in value else value
        return Cell(title, title, False, value in self.unseen.get(row.get("model", ""), ()))


def _number(column: Column, row: Mapping[Any, Any]) -> str:
    value, digits = row[column.name], column.digits
    if pd.isna(value):
        return ""
    text = f"{value:{'+' if column.signed else ''},.{digits}f}"
    if column.error is not None and not pd.isna(row[column.error]):
        text += f" ± {row[column.error]:.{digits}f}"
    if column.interval is not None:
        low, high = (row[end] for end in column.interval)
        text += f" [{low:.{digits}f}, {high:.{digits}f}]"
    if column.p is not None and not pd.isna(p := row[column.p]):
        text += ", p < 0.001" if p < 0.001 else f", p = {p:.3f}"
    return text
