"""C4, C5, C8, C14 and C15: what an edit does to retrieval across languages (paper, sections 5 and 7)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from interlingua.analysis.claims.effect import MOST, Effect
from interlingua.analysis.claims.texts import rise
from interlingua.analysis.evidence import (
    Edit,
    NotMeasured,
    edit_changes,
    edits,
    matrix,
    one_layer,
    originals,
    sentence_changes,
)
from interlingua.analysis.schema import STEERED, UNIFORM, Tables
from interlingua.intervals import CONFIDENCE, mean_interval, mean_of_pairs_interval

LEAST = 3
"""Languages that an interval over them needs."""

LARGEST_K = 2000
"""The paper's gains are said to grow up to this k (section 5)."""


def target_as_query(tables: Tables) -> Iterator[Effect]:
    """C4: with the target as query, top-1 rises on average over candidates, and for most of them."""
    interval = _interval_of(tables)
    for edit, gains in _gains(tables, _from_target):
        better = int((gains.change > 0).sum())
        words = f"top-1 rises for {better} of {len(gains)} candidates; median {gains.change.median():+.3f}"
        yield Effect.of(edit, gains.change.mean(), interval(edit, gains), words, better / len(gains) > MOST)


def others_as_query(tables: Tables) -> Iterator[Effect]:
    """C5: with other queries than the target, top-1 rises on average over pairs, and for most of them."""
    interval = _interval_of(tables)
    for edit, gains in _gains(tables, lambda rows: rows["query"] != rows.target):
        better = float((gains.change > 0).mean())
        words = f"top-1 rises for {better:.0%} of {len(gains)} pairs whose query is not the target".replace("%", " %")
        yield Effect.of(edit, gains.change.mean(), interval(edit, gains), words, better > MOST)


def random_brings_no_gain(tables: Tables) -> Iterator[Effect]:
    """C8: over all draws, random neurons gain nothing, and experts more than they."""
    found = dict(_gains(tables, lambda rows: rows.k > 0))
    some = False
    for edit, gains in found.items():
        draws = [drawn for other, drawn in found.items() if other[:3] == edit[:3] and other.match == UNIFORM]
        if edit.match != STEERED or not draws:
            continue
        some = True
        of_random = pd.concat(draws).groupby(["query", "candidate"])["change"].mean().reset_index()
        random, experts = of_random.change.mean(), gains.change.mean()
        words = f"mean gain of top-1 {experts:+.3f} by experts, {random:+.3f} by random neurons ({len(draws)} drawn)"
        low, high = mean_of_pairs_interval(matrix(of_random, "query", "candidate"))
        yield Effect.of(edit, -random, (-high, -low), words, experts > random and experts > 0)
    if not some:
        raise NotMeasured("the table retrieval has no random neurons")


def seen_gain_more(tables: Tables) -> Iterator[Effect]:
    """C14: with the target as query, candidates that the model saw in pre-training gain more than others."""
    if "pretraining" not in tables:
        raise NotMeasured("which languages the model saw in pre-training is not known (`pretrained_languages`)")
    seen = set(tables["pretraining"].query("seen").language)
    for edit, gains in _gains(tables, _from_target):
        known = gains.candidate.isin(seen)
        first, second = gains.change[known], gains.change[~known]
        if len(first) < 2 or len(second) < 2:
            raise NotMeasured(f"{len(first)} seen and {len(second)} unseen candidates; two of each are needed")
        with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # where all gain alike
            test = stats.ttest_ind(first, second, equal_var=False).confidence_interval(CONFIDENCE)
        words = (
            f"gain of {len(first)} seen candidates {first.mean():+.3f}, of {len(second)} unseen {second.mean():+.3f}"
        )
        yield Effect.of(edit, first.mean() - second.mean(), (test.low, test.high), words)


def gains_grow_with_k(tables: Tables) -> Iterator[Effect]:
    """C15: with the target as query, the gain grows from the smallest k to 2,000, and for most pairs of k between."""
    curves: dict[Edit, dict[int, pd.Series]] = {}
    if {"retrieval", "sweep_retrieval"} <= set(tables):
        tables = {**tables, "retrieval": pd.concat([tables["retrieval"], tables["sweep_retrieval"]])}
    for edit, gains in _gains(tables, _from_target):
        if edit.k <= LARGEST_K:
            curves.setdefault(edit._replace(k=0), {})[edit.k] = gains.set_index("candidate").change
    curves = {edit: dict(sorted(curve.items())) for edit, curve in curves.items() if len(curve) > 1}
    if not curves:
        raise NotMeasured("retrieval was measured at fewer than two k up to 2,000 (`sweep: {retrieval: true}`)")
    for edit, curve in curves.items():
        means = np.array([gains.mean() for gains in curve.values()])
        smallest, *_, largest = curve.values()
        low, high = mean_interval((largest - smallest).dropna().to_numpy())
        shift = rise(means) - float(means[-1] - means[0])  # where the curve falls, its range stands for it
        words = "; ".join(f"{mean:+.3f} at k = {k:,}" for k, mean in zip(curve, means, strict=True))
        yield replace(Effect.of(edit, rise(means), (low + shift, high + shift), words), k=None)


def _from_target(rows: pd.DataFrame) -> pd.Series:
    return rows["query"] == rows.target


def _gains(tables: Tables, choose: Callable[[pd.DataFrame], pd.Series]) -> Iterator[tuple[Edit, pd.DataFrame]]:
    """Yield each edit with the gains of the pairs of different languages that are chosen."""
    one_layer(tables)
    pair = ["query", "candidate"]
    for edit, gains in edit_changes(
        tables, "retrieval", pair, "top1", lambda rows: (rows["query"] != rows.candidate) & choose(rows)
    ):
        languages = len({*gains["query"], *gains.candidate})
        if languages < LEAST:
            raise NotMeasured(f"{languages} languages; an interval needs {LEAST}")
        yield edit, gains


def _interval_of(tables: Tables) -> Callable[[Edit, pd.DataFrame], tuple[float, float]]:
    """Return what gives the interval of a mean gain: over sentences, where it is known which were found.

    Else it is over languages: leaving out one at a time, or over candidates where the query is always the same.
    """
    labels = ["query", "candidate", "n", "bits"]
    hits = dict(edits(tables, "hits", labels, [])) if "hits" in tables else {}
    before = originals(tables, "hits", labels, []) if hits else pd.DataFrame()

    def interval(edit: Edit, gains: pd.DataFrame) -> tuple[float, float]:
        if edit in hits:
            chosen = hits[edit].merge(gains[["query", "candidate"]], on=["query", "candidate"])
            return mean_interval(sentence_changes(before, chosen))
        if gains["query"].nunique() == 1:
            return mean_interval(gains.change.to_numpy())
        return mean_of_pairs_interval(matrix(gains, "query", "candidate"))

    return interval
