"""Does accuracy fall with distance? Correlations over candidate languages (paper, section 5 and table 2)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from interlingua.analysis.schema import KEYS, ORIGINAL
from interlingua.errors import InputError
from interlingua.intervals import CONFIDENCE

COLUMNS = [*KEYS, "correlation", "candidates", "r", "low", "high", "p", "resamples", "defined", "reason"]

CONSTANT = 1e-7
"""A side whose values lie within this of each other is constant: they differ by the rounding of float32 embeddings."""

RESAMPLES_AT_ONCE = 1000


@dataclass(frozen=True)
class Pearson:
    """A correlation, or why there is none.

    Attributes:
        r: Pearson's r; None where it is not defined, like the next three.
        low: The lower end of its bootstrap interval.
        high: The upper end.
        p: The two-sided p-value of the hypothesis that there is none.
        resamples: How many resamples the interval is from: those in which neither side is constant.
        reason: Why it is not defined; empty where it is.
    """

    r: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    resamples: int = 0
    reason: str = ""


def correlation(
    retrieval: pd.DataFrame,
    geometry: pd.DataFrame,
    *,
    seen: Collection[str] | None = None,
    distance: str = "distance",
    resamples: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Correlate retrieval accuracy with distance over the candidate languages, the query being the target.

    The four correlations of table 2, for each steered or random condition: accuracy with distance after and before the
    edit, distance after with distance before, and the gain of accuracy with the loss of distance.

    Args:
        retrieval: Tidy tables of `retrieval` with the columns condition, target, kind and k; one layer.
        geometry: Tidy tables of `geometry` with the same.
        seen: The languages that the model saw in pre-training, to which the paper restricts the candidates; None takes
            all.
        distance: Which measure of `geometry`: `distance`, or `distance_of_means`.
        resamples: How many bootstrap resamples of the candidates the interval is from.
        seed: Of the resampling.

    Returns:
        A tidy table: condition, target, kind, k, correlation (`acc_post ~ d_post`, `acc_pre ~ d_pre`,
        `d_post ~ d_pre`, `gain ~ d_pre - d_post`), candidates (how many), r, low and high (percentile bootstrap
        interval of 95 %), p, resamples, defined and reason. Where a side is constant, as in the paper's footnote 5, or
        fewer than three candidates are left, the correlation is not defined: `defined` is False, `reason` says why, and
        the numbers are missing.

    Raises:
        InputError: The original model or a target is missing from a table, or accuracies are of several layers.

    Example:
        Spanish finds the nearer of three languages more often, and steering changed nothing:

        >>> candidates = ["eng_Latn", "fra_Latn", "jpn_Jpan"]
        >>> found = pd.DataFrame({"query": "spa_Latn", "candidate": candidates, "top1": [0.5, 0.6, 0.1]})
        >>> apart = pd.DataFrame({"language": "spa_Latn", "other": candidates, "value": [0.3, 0.2, 0.7]})
        >>> conditions = pd.DataFrame({"condition": ["original", "steered"], "target": [None, "spa_Latn"],
        ...     "kind": [None, "set-to-mean"], "k": [0, 2000]})
        >>> tables = [conditions.merge(table, how="cross") for table in (found, apart.assign(measure="distance"))]
        >>> correlation(*tables, resamples=100)[["correlation", "reason", "candidates", "r"]].round(1)
                     correlation            reason  candidates     r
        0      acc_post ~ d_post                             3  -1.0
        1        acc_pre ~ d_pre                             3  -1.0
        2         d_post ~ d_pre                             3   1.0
        3  gain ~ d_pre - d_post  gain is constant           3  <NA>
    """
    if resamples < 1:
        raise InputError(f"a bootstrap needs at least one resample, not {resamples}")
    if "layer" in retrieval and retrieval.layer.nunique() > 1:
        raise InputError("the accuracies are of several layers; correlate one layer at a time")
    apart = _both_ways(geometry[geometry.measure == distance])
    if apart.empty:
        raise InputError(f"the table of distances has no measure '{distance}'; use distance or distance_of_means")
    edited = retrieval.dropna(subset="target")[KEYS].drop_duplicates()
    rows = []
    for condition in edited.itertuples(index=False):
        target = str(condition.target)
        sides = pd.DataFrame(
            {
                "acc_pre": _of_target(retrieval[retrieval.condition == ORIGINAL], target, "top1"),
                "d_pre": _of_target(apart[apart.condition == ORIGINAL], target, "value"),
                "acc_post": _of_target(_rows_of(retrieval, condition), target, "top1"),
                "d_post": _of_target(_rows_of(apart, condition), target, "value"),
            }
        )
        if sides.isna().to_numpy().any() or sides.empty:
            raise InputError(f"accuracies and distances of {target}, original and edited, need the same candidates")
        if seen is not None:
            sides = sides[sides.index.isin(list(seen))]
        for name, (x, y) in _pairs(sides).items():
            found = pearson(x.to_numpy(), y.to_numpy(), resamples=resamples, seed=seed, names=_sides(name))
            numbers = (found.r, found.low, found.high, found.p, found.resamples, not found.reason, found.reason)
            rows.append((*condition, name, len(sides), *numbers))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.astype(dict.fromkeys(["r", "low", "high", "p"], "Float64"))


def pearson(
    x: np.ndarray,
    y: np.ndarray,
    *,
    resamples: int = 10_000,
    seed: int = 0,
    names: tuple[str, str] = ("x", "y"),
) -> Pearson:
    """Return Pearson's r of two sides with a percentile bootstrap interval of 95 % (Efron 1979) and its p-value.

    Args:
        x: float [n].
        y: float [n].
        resamples: How many times n of the n pairs are drawn, with replacement.
        seed: Of the drawing.
        names: What the two sides are called in the reason for none.

    Example:
        >>> found = pearson(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0]))
        >>> print(f"{found.r:.2f}, p = {found.p:.2f}")
        0.80, p = 0.20
        >>> pearson(np.ones(4), np.arange(4.0)).reason
        'x is constant'
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(x) < 3:
        return Pearson(reason=f"{len(x)} candidates; at least three are needed")
    for name, side in zip(names, (x, y), strict=True):
        if np.ptp(side) <= CONSTANT:
            return Pearson(reason=f"{name} is constant")
    r, p = stats.pearsonr(x, y)
    drawn = _resampled(x, y, resamples, seed)
    if not len(drawn):
        return Pearson(reason="a side is constant in every resample")
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Pearson(float(r), float(low), float(high), float(p), len(drawn))


def _resampled(x: np.ndarray, y: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Return the correlations of resamples in which neither side is constant."""
    random = np.random.default_rng(seed)
    result = []
    for start in range(0, resamples, RESAMPLES_AT_ONCE):
        rows = random.integers(len(x), size=(min(RESAMPLES_AT_ONCE, resamples - start), len(x)))
        rows = rows[(np.ptp(x[rows], axis=1) > CONSTANT) & (np.ptp(y[rows], axis=1) > CONSTANT)]
        a = x[rows] - x[rows].mean(axis=1, keepdims=True)
        b = y[rows] - y[rows].mean(axis=1, keepdims=True)
        r = (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
        result.append(np.clip(r, -1, 1))
    return np.concatenate(result)


def _pairs(sides: pd.DataFrame) -> dict[str, tuple[pd.Series, pd.Series]]:
    return {
        "acc_post ~ d_post": (sides.acc_post, sides.d_post),
        "acc_pre ~ d_pre": (sides.acc_pre, sides.d_pre),
        "d_post ~ d_pre": (sides.d_post, sides.d_pre),
        "gain ~ d_pre - d_post": (sides.acc_post - sides.acc_pre, sides.d_pre - sides.d_post),
    }


def _sides(name: str) -> tuple[str, str]:
    left, right = name.split(" ~ ")
    return left, right


def _rows_of(table: pd.DataFrame, condition: object) -> pd.DataFrame:
    chosen = pd.Series(True, index=table.index)
    for key in KEYS:
        chosen &= table[key] == getattr(condition, key)
    return table[chosen]


def _both_ways(distances: pd.DataFrame) -> pd.DataFrame:
    """Return distances as pairs of query and candidate: each unordered pair stands in the table once."""
    there = distances.rename(columns={"language": "query", "other": "candidate"})
    back = distances.rename(columns={"other": "query", "language": "candidate"})
    return pd.concat([there, back], ignore_index=True)


def _of_target(table: pd.DataFrame, target: str, value: str) -> pd.Series:
    rows = table[(table["query"] == target) & (table.candidate != target)]
    return rows.set_index("candidate")[value]
