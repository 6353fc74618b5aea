"""The tables of a report, from a run's tidy tables."""

from __future__ import annotations

import pandas as pd

from interlingua.languages import language_name
from interlingua.study import Run

KEYS = ["condition", "target", "k"]


def summary_table(run: Run) -> pd.DataFrame:
    """Return one row for each condition and target: how well retrieval works, and how far the languages lie apart.

    The original model's row is repeated for each target, since what is measured about a target depends on it.

    Returns:
        Columns: condition, target, k; `top1`, the mean over ordered pairs of different languages; `top1_from_target`,
        with the target as query; `distance`, the mean over unordered pairs; `distance_to_target`; and the distance to
        the medoid, `medoid_target` of the target and `medoid_others` on average of the others, as in table 1.
    """
    pairs = run.tables["retrieval"].query("query != candidate")
    distances = run.tables["geometry"]
    rows = []
    for target in run.config.targets:
        for (condition, k), own in _conditions(pairs, target):
            space = distances[(distances.condition == condition) & (distances.k == k)]
            space = space[space.target.isna() | (space.target == target)]
            medoid = space[space.measure == "distance_to_medoid"]
            apart = space[space.measure == "distance"]
            rows.append(
                {
                    "condition": condition,
                    "target": target,
                    "k": k,
                    "top1": own.top1.mean(),
                    "top1_from_target": own[own["query"] == target].top1.mean(),
                    "distance": apart.value.mean(),
                    "distance_to_target": apart[(apart.language == target) | (apart.other == target)].value.mean(),
                    "medoid_target": medoid[medoid.language == target].value.mean(),
                    "medoid_others": medoid[medoid.language != target].value.mean(),
                }
            )
    return pd.DataFrame(rows)


def answer(run: Run) -> list[str]:
    """Return what a study found, a sentence for each target and k."""
    table = summary_table(run)
    sentences = []
    for (target, k), rows in table.groupby(["target", "k"], sort=False):
        if "steered" not in set(rows.condition):
            continue
        steered = rows[rows.condition == "steered"].iloc[0]
        random = rows[rows.condition == "random"].iloc[0]
        original = table[(table.condition == "original") & (table.target == target)].iloc[0]
        sentences.append(
            f"With the top {k:,} {language_name(str(target))} experts set to their mean, the mean top-1 of retrieval "
            f"is {steered.top1:.3f} (originally {original.top1:.3f}), and the mean distance between languages "
            f"{steered.distance:.2f} (originally {original.distance:.2f}). With the same values on random neurons they "
            f"are {random.top1:.3f} and {random.distance:.2f}."
        )
    return sentences


def _conditions(table: pd.DataFrame, target: str):
    of_target = table[table.target.isna() | (table.target == target)]
    return of_target.groupby(["condition", "k"], sort=False)
