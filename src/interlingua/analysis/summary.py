"""What a study measured about each condition, a row each: the space, and the text that is written and read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from interlingua.analysis.schema import KEYS, MIXED, ORIGINAL, OVER_TARGETS, PRE, RANDOM, STEERED, Tables

DISTANCES = ["top1", "top1_from_target", "distance", "distance_to_target", "medoid_target", "medoid_others"]


def summary(tables: Tables, targets: Sequence[str]) -> pd.DataFrame:
    """Return one row for each condition and target: how well retrieval works, and how far the languages lie apart.

    The original model's row is repeated for each target, since what is measured about a target depends on it.

    Args:
        tables: Of the study; `retrieval` and `geometry` are read.
        targets: Of the study.

    Returns:
        Columns: condition, target, kind, k; `top1`, the mean over ordered pairs of different languages;
        `top1_from_target`, with the target as query; `distance`, the mean over unordered pairs; `distance_to_target`;
        and the distance to the medoid, `medoid_target` of the target and `medoid_others` on average of the others, as
        in table 1. No row where retrieval or geometry was not measured.
    """
    if not {"retrieval", "geometry"} <= set(tables):
        return pd.DataFrame(columns=[*KEYS, *DISTANCES])
    pairs = tables["retrieval"].query("query != candidate")
    distances = tables["geometry"]
    rows = []
    for target in targets:
        spaces = dict(list(_conditions(distances, target)))
        for (condition, kind, k), of_condition in _conditions(pairs, target):
            space = spaces.get((condition, kind, k), distances.iloc[:0])
            medoid = space[space.measure == "distance_to_medoid"]
            apart = space[space.measure == "distance"]
            rows.append(
                {
                    "condition": condition,
                    "target": target,
                    "kind": kind or None,
                    "k": k,
                    "top1": of_condition.top1.mean(),
                    "top1_from_target": of_condition[of_condition["query"] == target].top1.mean(),
                    "distance": apart.value.mean(),
                    "distance_to_target": apart[(apart.language == target) | (apart.other == target)].value.mean(),
                    "medoid_target": medoid[medoid.language == target].value.mean(),
                    "medoid_others": medoid[medoid.language != target].value.mean(),
                }
            )
    return pd.DataFrame(rows, columns=[*KEYS, *DISTANCES])


def behaviour(tables: Tables, targets: Sequence[str]) -> pd.DataFrame:
    """Return one row for each condition and target: what the model writes, how it reads, and if paraphrases are kept.

    Args:
        tables: Of the study; `generation`, `perplexity`, `paraphrase` and `paraphrase_random` are read.
        targets: Of the study.

    Returns:
        Columns: condition, target, kind, k; `share` of texts in the target language; `log_perplexity` of text in it;
        `paraphrase`, the mean top-1 over languages with both sides by this model, and `mixed`, with the query by the
        original one. What was not measured is missing.
    """
    rows: dict[tuple[Any, ...], dict[str, float]] = {}
    for name, value in (("generation", "share"), ("perplexity", "log_perplexity")):
        for row in tables[name].to_dict("records") if name in tables else []:
            rows.setdefault(_key(row, row["condition"], row["target"]), {})[value] = row[value]
    for name, condition in (("paraphrase", STEERED), ("paraphrase_random", RANDOM)):
        table = tables[name] if name in tables else pd.DataFrame(columns=[*KEYS, "top1"])
        means = table.groupby(KEYS, dropna=False, sort=False).top1.mean().reset_index()
        for row in means.to_dict("records"):
            column = "mixed" if row["condition"] == MIXED else "paraphrase"
            pre = row["condition"] == PRE
            for target in targets if pre else [row["target"]]:
                rows.setdefault(_key(row, ORIGINAL if pre else condition, target), {})[column] = row["top1"]
    labelled = [dict(zip(KEYS, key, strict=True)) | values for key, values in rows.items()]
    table = pd.DataFrame(labelled, columns=[*KEYS, "share", "log_perplexity", "paraphrase", "mixed"])
    return table.sort_values("target", key=lambda names: names.map(list(targets).index), kind="stable")


def _key(row: dict[Any, Any], condition: str, target: str) -> tuple[Any, ...]:
    return condition, target, None if pd.isna(row["kind"]) else row["kind"], row["k"]


def _conditions(table: pd.DataFrame, target: str) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Yield condition, kind (empty for the original) and k with their rows, of one target."""
    of_target = table[table.target.isna() | (table.target == target)]
    yield from of_target.assign(kind=of_target.kind.fillna("")).groupby(OVER_TARGETS, sort=False)
