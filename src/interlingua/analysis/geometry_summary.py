"""Distances averaged over the targets of an intervention (paper, table 1)."""

from __future__ import annotations

import pandas as pd

from interlingua.analysis.schema import OVER_TARGETS, groups
from interlingua.errors import InputError

COLUMNS = [*OVER_TARGETS, "measure", "mean", "standard_error", "targets"]


READINGS = {"distance": "", "distance_of_means": "_of_means", "distance_of_all_pairs": "_of_all_pairs"}
"""The readings of "distance between languages" in a table of `geometry`, and the endings of their summaries."""


def geometry_summary(geometry: pd.DataFrame) -> pd.DataFrame:
    """Average distances over the targets of the intervention, with standard errors, as the paper's table 1 does.

    Args:
        geometry: The tables of `geometry` for several conditions, with the columns condition (`original`, `steered` or
            `random`), target, kind and k before its own. The rows of the original model have no target; what is
            measured about a target is taken from them for each target of the other rows.

    Returns:
        One row for each condition, kind, k and measure: mean, standard_error (the standard deviation over targets by
        the square root of their number; missing where there is one target) and targets. The measures, each with
        `_of_means` and `_of_all_pairs` for the other readings where there are several:

        - `distance_all`: the mean over unordered pairs of languages.
        - `distance_to_target`: the mean over the other languages.
        - `target_to_medoid`, and `others_to_medoid`, the mean over the other languages.

    Raises:
        InputError: No row has a target, or a target is not among the languages.

    Example:
        With Spanish as target, the distances of one condition:

        >>> from interlingua import geometry
        >>> spaces = {"eng_Latn": np.array([[1.0, 0.0]] * 2), "spa_Latn": np.array([[0.0, 1.0]] * 2)}
        >>> steered = geometry(spaces).assign(condition="steered", target="spa_Latn", kind="set-to-mean", k=9)
        >>> geometry_summary(steered)[["measure", "mean", "targets"]].head(2)
                      measure  mean  targets
        0        distance_all   1.0        1
        1  distance_to_target   1.0        1
    """
    targets = geometry.target.dropna().unique()
    if not len(targets):
        raise InputError("distances are averaged over targets, and no row of the table has one")
    rows = []
    for (condition, kind, k), distances in groups(geometry, OVER_TARGETS):
        for target in targets:
            space = distances[distances.target.isna() | (distances.target == target)]
            if len(space):
                rows.extend((condition, kind, k, *item) for item in _of_target(space, target).items())
    values = pd.DataFrame(rows, columns=[*OVER_TARGETS, "measure", "value"])
    summary = values.groupby([*OVER_TARGETS, "measure"], sort=False, dropna=False).value.agg(["mean", "sem", "size"])
    return summary.reset_index().rename(columns={"sem": "standard_error", "size": "targets"})[COLUMNS]


def _of_target(space: pd.DataFrame, target: str) -> dict[str, float]:
    values = {}
    for measure, suffix in READINGS.items():
        apart = space[space.measure == measure]
        if apart.empty and measure == "distance_of_all_pairs":  # studies of 0.1 lack it
            continue
        to_target = apart[(apart.language == target) | (apart.other == target)]
        if to_target.empty:
            raise InputError(f"the target {target} is not among the languages whose distances were measured")
        values[f"distance_all{suffix}"] = float(apart.value.mean())
        values[f"distance_to_target{suffix}"] = float(to_target.value.mean())
    medoid = space[space.measure == "distance_to_medoid"]
    values["target_to_medoid"] = float(medoid[medoid.language == target].value.mean())
    values["others_to_medoid"] = float(medoid[medoid.language != target].value.mean())
    return values
