"""What a claim is judged from: a study's tidy tables, each edit set against the original model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from interlingua.analysis.schema import KEYS, ORIGINAL, STEERED, Tables
from interlingua.errors import InputError


class NotMeasured(Exception):  # noqa: N818
    """Raised with what is missing for a verdict."""


def table_of(tables: Tables, name: str, labels: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """Return those columns of a table, without rows whose numbers are missing.

    Raises:
        NotMeasured: There is no such table, or it has no row.
        InputError: It lacks a column.
    """
    if name not in tables:
        raise NotMeasured(f"the table {name} is missing")
    if absent := [column for column in (*labels, *numbers) if column not in tables[name]]:
        raise InputError(f"the table {name} lacks the columns {', '.join(absent)}")
    table = tables[name][[*labels, *numbers]]
    for column in numbers:
        table = table[np.isfinite(table[column].to_numpy(np.float64, na_value=np.nan))]
    if table.empty:
        raise NotMeasured(f"the table {name} is empty")
    return table


def retrieval_of(tables: Tables) -> pd.DataFrame:
    """Return the accuracies between different languages.

    Raises:
        NotMeasured: There are none.
        InputError: They are of several layers.
    """
    table = table_of(tables, "retrieval", [*KEYS, "query", "candidate"], ["top1"])
    if "layer" in tables["retrieval"] and tables["retrieval"].layer.nunique() > 1:
        raise InputError("the table retrieval has several layers; claims are judged at one")
    return table[table["query"] != table.candidate]


def settings(table: pd.DataFrame, condition: str = STEERED) -> Iterator[tuple[str, int, pd.DataFrame]]:
    """Yield each kind and k above 0 of a condition, with its rows."""
    edited = table[(table.condition == condition) & (table.k > 0)]
    for kind, k in edited[["kind", "k"]].drop_duplicates().itertuples(index=False):
        yield str(kind), int(k), edited[(edited.kind == kind) & (edited.k == k)]


def changes(
    table: pd.DataFrame, edited: pd.DataFrame, pair: Sequence[str], value: str, name: str = "retrieval"
) -> pd.DataFrame:
    """Return an edit's rows with the columns `before`, of the same pair in the original model, and `change`.

    Raises:
        NotMeasured: The original model is not in the table, or shares no pair with the edit.
        InputError: The original model has a pair twice.
    """
    original = table[table.condition == ORIGINAL].set_index([*pair])[value]
    if original.index.has_duplicates:
        raise InputError(
            f"the table {name} has the original model's {original.index[original.index.duplicated()][0]} twice"
        )
    joined = edited.merge(original.rename("before").reset_index(), on=[*pair])
    if joined.empty:
        raise NotMeasured(f"the table {name} has no original model to compare with")
    return joined.assign(change=joined[value] - joined.before)


def matrix(rows: pd.DataFrame, first: str, second: str) -> np.ndarray:
    """Return the mean change of each ordered pair over targets, NaN where there is none: [languages, languages]."""
    codes = sorted({*rows[first], *rows[second]})
    wide = rows.groupby([first, second]).change.mean().unstack()
    return wide.reindex(index=codes, columns=codes).to_numpy(dtype=np.float64, copy=True)


def interval_in_words(low: float, high: float) -> str:
    """Return an interval as it stands in a sentence."""
    return f"95 % interval {low:+.3f} to {high:+.3f}"
