"""What a claim is judged from: a study's tidy tables, each edit set against the original model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from interlingua.analysis.schema import DRAW, KEYS, ORIGINAL, RANDOM, STEERED, UNIFORM, Tables, groups
from interlingua.errors import InputError


class NotMeasured(Exception):  # noqa: N818
    """Raised with what is missing for a verdict."""


class Edit(NamedTuple):
    """An edit of experts (`match` is `steered`), or a draw of random neurons."""

    target: str
    kind: str
    k: int
    match: str = STEERED
    draw: int = 0


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


def edits(
    tables: Tables, name: str, labels: Sequence[str], numbers: Sequence[str]
) -> Iterator[tuple[Edit, pd.DataFrame]]:
    """Yield every edit that a table is about with its rows: of experts, and of each draw of random neurons.

    Raises:
        NotMeasured: There is no such table, or it has no row.
        InputError: It lacks a column.
    """
    table = table_of(tables, name, [*KEYS, *labels], numbers)
    edited = table[table.condition.isin([STEERED, RANDOM]) & (table.k > 0)]
    match = edited.condition.map({STEERED: STEERED, RANDOM: UNIFORM})
    parts = [edited.assign(match=match, draw=0)[[*DRAW, *labels, *numbers]]]
    if f"control_{name}" in tables:
        parts.append(table_of(tables, f"control_{name}", [*DRAW, *labels], numbers))
    for edit, rows in groups(pd.concat(parts, ignore_index=True), DRAW):
        yield Edit(*edit), rows


def edit_changes(
    tables: Tables,
    name: str,
    pair: Sequence[str],
    value: str,
    choose: Callable[[pd.DataFrame], pd.Series] | None = None,
) -> Iterator[tuple[Edit, pd.DataFrame]]:
    """Yield every edit with its rows, or those chosen, and the columns `before` (of the original model) and `change`.

    Raises:
        NotMeasured: The table is missing or empty, or shares no pair with the original model.
        InputError: It lacks a column, or has a pair of the original model twice.
    """
    table = originals(tables, name, pair, [value])
    every = list(edits(tables, name, pair, [value]))
    if every:
        rows = pd.concat([rows for _, rows in every], ignore_index=True)
        for edit, chosen in groups(changes(table, rows[choose(rows)] if choose else rows, pair, value, name), DRAW):
            yield Edit(*edit), chosen


def originals(tables: Tables, name: str, labels: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """Return the original model's rows of a table.

    Raises:
        NotMeasured: There is no such table, or no such row.
        InputError: It lacks a column.
    """
    table = table_of(tables, name, ["condition", *labels], numbers)
    if (found := table[table.condition == ORIGINAL]).empty:
        raise NotMeasured(f"the table {name} has no original model to compare with")
    return found


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


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dictionaries."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def unpacked(row: Mapping[str, Any]) -> np.ndarray:
    """Return the hits of a row as bools: bool [n]."""
    return np.unpackbits(np.frombuffer(row["bits"], np.uint8), count=row["n"]).astype(bool)


def sentence_changes(before: pd.DataFrame, after: pd.DataFrame) -> np.ndarray:
    """Return by how much each sentence is found more often after an edit, on average over pairs of languages.

    Sentences are what was sampled, so they, and not the pairs of languages that share them, are what an interval of one
    edit is over.

    Args:
        before: Of the original model: query, candidate, n, and bits, the packed hits of n sentences.
        after: Of the edit: the same.

    Returns:
        float64 [sentences], each from -1 to 1.
    """
    both = before.merge(after, on=["query", "candidate", "n"], suffixes=("_before", ""))
    n = int(both.n.iloc[0])

    def share(bits: pd.Series) -> np.ndarray:
        packed = np.frombuffer(b"".join(bits), np.uint8).reshape(len(bits), -1)
        return np.unpackbits(packed, axis=1, count=n).mean(axis=0)

    return share(both.bits) - share(both.bits_before)


def matrix(rows: pd.DataFrame, first: str, second: str) -> np.ndarray:
    """Return the mean change of each ordered pair over targets, NaN where there is none: [languages, languages]."""
    codes = sorted({*rows[first], *rows[second]})
    wide = rows.groupby([first, second]).change.mean().unstack()
    return wide.reindex(index=codes, columns=codes).to_numpy(dtype=np.float64, copy=True)


def steered_targets(tables: Tables) -> list[str]:
    """Return the targets of a study's edits, in their order."""
    edited = [table[table.condition == STEERED] for table in tables.values() if {"condition", "target"} <= set(table)]
    return list(dict.fromkeys(target for table in edited for target in table.target.dropna()))


def one_layer(tables: Mapping[str, pd.DataFrame]) -> None:
    """Raise an InputError where accuracies are of several layers: a claim is judged at one."""
    if "retrieval" in tables and "layer" in tables["retrieval"] and tables["retrieval"].layer.nunique() > 1:
        raise InputError("the table retrieval has several layers; claims are judged at one")
