"""The tables of a report, from a run's tidy tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from interlingua.languages import language_name
from interlingua.study import Run

KEYS = ["condition", "target", "kind", "k"]
DISTANCES = ["top1", "top1_from_target", "distance", "distance_to_target", "medoid_target", "medoid_others"]


def summary_table(run: Run) -> pd.DataFrame:
    """Return one row for each condition and target: how well retrieval works, and how far the languages lie apart.

    The original model's row is repeated for each target, since what is measured about a target depends on it.

    Returns:
        Columns: condition, target, kind, k; `top1`, the mean over ordered pairs of different languages;
        `top1_from_target`, with the target as query; `distance`, the mean over unordered pairs; `distance_to_target`;
        and the distance to the medoid, `medoid_target` of the target and `medoid_others` on average of the others, as
        in table 1. No row where retrieval or geometry was not measured.
    """
    if not {"retrieval", "geometry"} <= set(run.tables):
        return pd.DataFrame(columns=[*KEYS, *DISTANCES])
    pairs = run.tables["retrieval"].query("query != candidate")
    distances = run.tables["geometry"]
    rows = []
    for target in run.config.targets:
        spaces = dict(list(_conditions(distances, target)))
        for (condition, kind, k), own in _conditions(pairs, target):
            space = spaces.get((condition, kind, k), distances.iloc[:0])
            medoid = space[space.measure == "distance_to_medoid"]
            apart = space[space.measure == "distance"]
            rows.append(
                {
                    "condition": condition,
                    "target": target,
                    "kind": kind or None,
                    "k": k,
                    "top1": own.top1.mean(),
                    "top1_from_target": own[own["query"] == target].top1.mean(),
                    "distance": apart.value.mean(),
                    "distance_to_target": apart[(apart.language == target) | (apart.other == target)].value.mean(),
                    "medoid_target": medoid[medoid.language == target].value.mean(),
                    "medoid_others": medoid[medoid.language != target].value.mean(),
                }
            )
    return pd.DataFrame(rows, columns=[*KEYS, *DISTANCES])


def answer(run: Run) -> list[str]:
    """Return what a study found, a sentence for each target and k."""
    table = summary_table(run)
    sentences = []
    for (target, kind, k), rows in table.groupby(["target", "kind", "k"], sort=False):
        original = table[(table.condition == "original") & (table.target == target)]
        by_name = {row["condition"]: row for row in [*original.to_dict("records"), *rows.to_dict("records")]}
        if not {"original", "steered"} <= set(by_name):
            continue
        before, steered, random = by_name["original"], by_name["steered"], by_name.get("random")
        edited = "set to their mean" if kind == "set-to-mean" else f"edited ({kind})"
        control = (
            f" With the same edits on random neurons they are {random['top1']:.3f} and {random['distance']:.2f}."
            if random
            else ""
        )
        sentences.append(
            f"With the top {k:,} {language_name(str(target))} experts {edited}, the mean top-1 of retrieval "
            f"is {steered['top1']:.3f} (originally {before['top1']:.3f}), and the mean distance between languages "
            f"{steered['distance']:.2f} (originally {before['distance']:.2f}).{control}"
        )
    return sentences


def behaviour_table(run: Run) -> pd.DataFrame:
    """Return one row for each condition and target: what the model writes, how it reads, and if paraphrases are kept.

    Returns:
        Columns: condition, target, kind, k; `share` of texts in the target language; `log_perplexity` of text in it;
        `paraphrase`, the mean top-1 over languages with both sides by this model, and `mixed`, with the query by the
        original one. What was not measured is missing.
    """
    rows: dict[tuple[Any, ...], dict[str, float]] = {}
    for name, value in (("generation", "share"), ("perplexity", "log_perplexity")):
        for row in run.tables[name].to_dict("records") if name in run.tables else []:
            rows.setdefault(_key(row, row["condition"], row["target"]), {})[value] = row[value]
    for name, condition in (("paraphrase", "steered"), ("paraphrase_random", "random")):
        table = run.tables[name] if name in run.tables else pd.DataFrame(columns=[*KEYS, "top1"])
        means = table.groupby(KEYS, dropna=False, sort=False).top1.mean().reset_index()
        for row in means.to_dict("records"):
            column = "mixed" if row["condition"] == "mixed" else "paraphrase"
            pre = row["condition"] == "pre"
            for target in run.config.targets if pre else [row["target"]]:
                rows.setdefault(_key(row, "original" if pre else condition, target), {})[column] = row["top1"]
    labelled = [dict(zip(KEYS, key, strict=True)) | values for key, values in rows.items()]
    table = pd.DataFrame(labelled, columns=[*KEYS, "share", "log_perplexity", "paraphrase", "mixed"])
    return table.sort_values("target", key=lambda targets: targets.map(run.config.targets.index), kind="stable")


def groups(table: pd.DataFrame, keys: list[str]) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Yield the values of some columns, in the order in which they come, with their rows."""
    yield from table.groupby(keys, sort=False, dropna=False)


def _key(row: dict[Any, Any], condition: str, target: str) -> tuple[Any, ...]:
    return condition, target, None if pd.isna(row["kind"]) else row["kind"], row["k"]


def _conditions(table: pd.DataFrame, target: str):
    """Yield condition, kind (empty for the original) and k with their rows, of one target."""
    of_target = table[table.target.isna() | (table.target == target)]
    return of_target.assign(kind=of_target.kind.fillna("")).groupby(["condition", "kind", "k"], sort=False)
