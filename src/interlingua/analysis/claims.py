"""The paper's claims, judged on a study's tables, each with its numbers.

A claim about a difference holds where its 95 % interval lies beyond the bar, and does not where it lies on the other
side; where it reaches to both, nobody can tell. What holds of random neurons as well is no evidence about experts, and
the verdict says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from interlingua.analysis.controls import controls, with_random_as_steered
from interlingua.analysis.evidence import (
    NotMeasured,
    changes,
    interval_in_words,
    matrix,
    retrieval_of,
    settings,
    table_of,
)
from interlingua.analysis.schema import KEYS, MIXED, ORIGINAL, POST, PRE, RANDOM, STEERED, Tables
from interlingua.analysis.verdicts import (
    CANNOT_TELL,
    MOST,
    NOT_MEASURED,
    Finding,
    beside_random,
    ranked,
    verdict,
)
from interlingua.intervals import Z, mean_interval, mean_of_pairs_interval, newcombe

COLUMNS = ["claim", "statement", "kind", "k", "verdict", "numbers"]

FEW_POINTS = 0.05
""""A few points" of accuracy: in the paper's tables 3 and 5 paraphrase retrieval loses 0.02 at most after the edit, and
mixed retrieval 0.07 at least."""

HARDLY = 0.05
"""Sharing at most this part of their experts, one in twenty, languages "hardly overlap"; the paper says none do."""

LEAST = 3
"""Languages that an interval needs: leaving one of two out leaves no pair."""


def claims(tables: Tables) -> pd.DataFrame:
    """Judge the paper's claims C1 to C10 on the tidy tables of a study.

    Args:
        tables: By name, any of `generation`, `perplexity`, `geometry`, `retrieval`, `paraphrase`, `correlation` and
            `overlap`, the retrieval at one layer. A claim whose table is absent is not measured.

    Returns:
        A tidy table with the columns claim, statement, kind, k (missing where the claim is about all, or nothing was
        measured), verdict and numbers, a sentence: the verdict's grounds, or what is missing. A verdict is `holds`;
        `holds, and for random neurons too`; `cannot tell`; `does not hold`; or `not measured`. A claim has a row for
        each kind and k that was measured. Several targets are taken together.

    Raises:
        InputError: A table lacks a column, holds retrieval at several layers, or the original model twice.

    Example:
        >>> shared = pd.DataFrame({"language": ["eng_Latn"], "other": ["spa_Latn"], "k": [2000], "shared": [31]})
        >>> table = claims({"overlap": shared}).set_index("claim")
        >>> print(table.verdict["C10"], "-", table.numbers["C10"])
        holds - of their 2,000 experts, two languages share 1.6 % on average and 1.6 % at most
        >>> print(table.verdict["C1"], "-", table.numbers["C1"])
        not measured - the table generation is missing
    """
    rows, control, ranks = [], with_random_as_steered(tables), controls(tables)
    for claim, (statement, judge) in CLAIMS.items():
        findings = _findings(judge, tables)
        if claim in BESIDE_CONTROL:
            drawn = {(found.kind, found.k): found for found in _findings(judge, control)}
            findings = [beside_random(found, drawn.get((found.kind, found.k))) for found in findings]
        if claim in RANKED:
            findings = [ranked(found, ranks[ranks.effect == RANKED[claim]]) for found in findings]
        rows.extend((claim, statement, found.kind, found.k, found.verdict, found.numbers) for found in findings)
    return pd.DataFrame(rows, columns=COLUMNS).astype({"k": "Int64"})


def claims_by_target(tables: Tables) -> pd.DataFrame:
    """Judge the claims for each target alone, since what holds on the mean of several may hold for none.

    Returns:
        The columns of `claims`, after the column target.
    """
    steered = [table[table.condition == STEERED] for table in tables.values() if {"condition", "target"} <= set(table)]
    targets = list(dict.fromkeys(target for table in steered for target in table.target.dropna()))
    judged = [claims(_of_target(tables, target)).assign(target=target) for target in targets]
    return pd.concat(judged, ignore_index=True)[["target", *COLUMNS]] if judged else pd.DataFrame()


def _of_target(tables: Tables, target: str) -> Tables:
    return {
        name: table[table.target.isna() | (table.target == target)] if "target" in table else table
        for name, table in tables.items()
    }


def _findings(judge: Callable[[Tables], Iterator[Finding]], tables: Tables) -> list[Finding]:
    try:
        return list(judge(tables)) or [Finding(NOT_MEASURED, "no edit with k above 0 was measured")]
    except NotMeasured as missing:
        return [Finding(NOT_MEASURED, str(missing))]


def share_of_texts(tables: Tables) -> Iterator[Finding]:
    """C1 holds where the share over all targets' texts rises, its interval above 0, and it rises for most targets."""
    table = table_of(tables, "generation", KEYS, ["n", "share"])
    table = table[table.n > 0].assign(hits=table.share * table.n)
    original = table[table.condition == ORIGINAL].groupby("target")[["hits", "n"]].sum()
    for kind, k, steered in settings(table):
        counts = steered.groupby("target")[["hits", "n"]].sum()
        both = counts.merge(original, left_index=True, right_index=True, suffixes=("", "_before"))
        if both.empty:
            yield Finding(NOT_MEASURED, "the table generation has no original texts judged for a target", kind, k)
            continue
        total = both.sum()
        before, after = total.hits_before / total.n_before, total.hits / total.n
        low, high = newcombe(before, int(total.n_before), after, int(total.n))
        rises = both.hits / both.n > both.hits_before / both.n_before
        numbers = (
            f"share of texts in the target language {after:.3f}, originally {before:.3f} ({after - before:+.3f}, "
            f"{interval_in_words(low, high)}); it rises for {rises.sum()} of {len(rises)} targets"
        )
        most = rises.mean() > MOST
        yield Finding(verdict(low > 0 and most, high <= 0 or (low > 0 and not most)), numbers, kind, k)


def perplexity_with_k(tables: Tables) -> Iterator[Finding]:
    """C2 holds where log perplexity rises with k for most targets.

    It rises for a target where, the original model being k = 0, more pairs of k rise than fall, and the largest k lies
    above the original by more than 1.96 standard errors of the difference.
    """
    table = table_of(tables, "perplexity", KEYS, ["log_perplexity", "standard_error"])
    steered = table[(table.condition == STEERED) & (table.k > 0)]
    for kind, of_kind in steered.groupby("kind", sort=False):
        words, rises, falls = [], [], []
        for target, edited in of_kind.groupby("target", sort=False):
            original = table[(table.condition == ORIGINAL) & (table.target == target)]
            if original.empty:
                continue
            curve = pd.concat([original.iloc[:1], edited.sort_values("k")])
            values, errors = curve.log_perplexity.to_numpy(), curve.standard_error.to_numpy()
            steps = np.sign(values[None, :] - values[:, None])[np.triu_indices(len(values), 1)].sum()
            change, noise = values[-1] - values[0], Z * np.hypot(errors[0], errors[-1])
            rises.append(bool(steps > 0 and change > noise))
            falls.append(bool(steps <= 0 and np.ptp(values) > noise))
            words.append(f"{target} {values[0]:.2f} to {values[-1]:.2f} at k = {curve.k.iloc[-1]:,}")
        if rises:
            numbers = f"log perplexity rises for {sum(rises)} of {len(rises)} targets: {'; '.join(words)}"
            yield Finding(verdict(np.mean(rises) > MOST, np.mean(falls) > MOST), numbers, str(kind))
        else:
            yield Finding(NOT_MEASURED, "the table perplexity has no original model on a target's text", str(kind))


def distances_shrink(tables: Tables) -> Iterator[Finding]:
    """C3 holds where the mean change of the distance between languages has its interval below 0."""
    table = table_of(tables, "geometry", [*KEYS, "measure", "language", "other"], ["value"])
    table = table[table.measure == "distance"]
    for kind, k, steered in settings(table):
        there = changes(table, steered, ["language", "other"], "value", "geometry")
        back = there.rename(columns={"language": "other", "other": "language"})
        words = f"mean distance {there.value.mean():.3f}, originally {there.before.mean():.3f}"
        change = matrix(pd.concat([there, back]), "language", "other")
        yield _judged(change, words, lambda low, high: (high < 0, low >= 0), kind, k)


def target_as_query(tables: Tables) -> Iterator[Finding]:
    """C4 holds where top-1 rises for most candidates and the mean gain over candidates has its interval above 0."""
    table = retrieval_of(tables)
    for kind, k, steered in settings(table):
        gains = changes(table, steered[steered["query"] == steered.target], ["query", "candidate"], "top1")
        of_candidate = gains.groupby("candidate").change.mean().to_numpy()
        if len(of_candidate) < LEAST:
            yield Finding(NOT_MEASURED, f"{len(of_candidate)} candidates; an interval needs {LEAST}", kind, k)
            continue
        low, high = mean_interval(of_candidate)
        better = int((gains.change > 0).sum())
        numbers = (
            f"top-1 rises for {better} of {len(gains)} candidates (mean over languages {of_candidate.mean():+.3f}, "
            f"{interval_in_words(low, high)}; median {gains.change.median():+.3f}, most {gains.change.max():+.3f})"
        )
        most = better / len(gains) > MOST
        yield Finding(verdict(low > 0 and most, high <= 0 or (low > 0 and not most)), numbers, kind, k)


def others_as_query(tables: Tables) -> Iterator[Finding]:
    """C5 holds where top-1 rises for most pairs with another query, and their mean gain has its interval above 0."""
    table = retrieval_of(tables)
    for kind, k, steered in settings(table):
        gains = changes(table, steered[steered["query"] != steered.target], ["query", "candidate"], "top1")
        better = (gains.change > 0).mean()
        words = f"top-1 rises for {better:.0%} of {len(gains)} pairs whose query is not the target".replace("%", " %")
        most = bool(better > MOST)

        def rule(low: float, high: float, most: bool = most) -> tuple[bool, bool]:
            return most and low > 0, high <= 0 or (low > 0 and not most)

        yield _judged(matrix(gains, "query", "candidate"), words, rule, kind, k)


def paraphrases_kept(tables: Tables) -> Iterator[Finding]:
    """C6 holds where post lies less than five points below pre, interval and all; a gain is kept too.

    Where the interval reaches to both sides of that bar, there are too few sentences to tell.
    """
    for kind, k, words, low, high in _against_pre(tables, POST):
        if low <= -FEW_POINTS < high:
            yield Finding(CANNOT_TELL, f"too few sentences to tell a fall of {FEW_POINTS}: {words}", kind, k)
        else:
            yield Finding(verdict(low > -FEW_POINTS, True), words, kind, k)


def mixed_falls(tables: Tables) -> Iterator[Finding]:
    """C7 holds where mixed lies below pre, interval and all."""
    for kind, k, words, low, high in _against_pre(tables, MIXED):
        yield Finding(verdict(high < 0, low >= 0), words, kind, k)


def random_brings_no_gain(tables: Tables) -> Iterator[Finding]:
    """C8 holds where random neurons gain nothing that can be told, and the interval of steering's lead is above 0.

    It does not hold where the interval of random neurons' own gain is above 0.
    """
    table = retrieval_of(tables)
    for kind, k, steered in settings(table):
        control = table[(table.condition == RANDOM) & (table.kind == kind) & (table.k == k)]
        both = steered.merge(control, on=["target", "query", "candidate"], suffixes=("", "_random"))
        if both.empty:
            yield Finding(NOT_MEASURED, "the table retrieval has no random neurons to compare with", kind, k)
            continue
        gains = changes(table, both, ["query", "candidate"], "top1")
        gain, of_random = gains.change.mean(), (gains.top1_random - gains.before).mean()
        words = f"mean gain of top-1 {gain:+.3f} steered, {of_random:+.3f} with random neurons"
        if gain <= 0:
            yield Finding(NOT_MEASURED, f"there is no gain to compare with: {words}", kind, k)
            continue
        lead = matrix(gains.assign(change=gains.top1 - gains.top1_random), "query", "candidate")
        drawn = matrix(gains.assign(change=gains.top1_random - gains.before), "query", "candidate")
        if len(drawn) < LEAST:
            yield Finding(NOT_MEASURED, f"{len(drawn)} languages; an interval needs {LEAST}", kind, k)
            continue
        low, high = mean_of_pairs_interval(drawn)
        words = f"{words} ({interval_in_words(low, high)}); the lead"
        yield _judged(lead, words, lambda first, _, low=low: (low <= 0 < first, low > 0), kind, k)


def accuracy_falls_with_distance(tables: Tables) -> Iterator[Finding]:
    """C9 holds where most defined correlations of accuracy with distance, pre and post, have their interval below 0."""
    table = table_of(tables, "correlation", [*KEYS, "correlation", "r", "high", "defined"], [])
    table = table[table.correlation.isin(["acc_post ~ d_post", "acc_pre ~ d_pre"])]
    for kind, k, correlations in settings(table):
        defined = correlations[correlations.defined.astype(bool)]
        if defined.empty:
            yield Finding(NOT_MEASURED, "no correlation of accuracy with distance is defined", kind, k)
            continue
        below = int((defined.high < 0).sum())
        numbers = (
            f"{below} of {len(defined)} correlations of accuracy with distance lie below 0 with their intervals "
            f"(r from {defined.r.min():+.2f} to {defined.r.max():+.2f}; {len(correlations) - len(defined)} not defined)"
        )
        yield Finding(verdict(below / len(defined) > MOST, (defined.r >= 0).mean() > MOST), numbers, kind, k)


def experts_hardly_overlap(tables: Tables) -> Iterator[Finding]:
    """C10 holds where two languages share at most a twentieth of their experts, on average over pairs."""
    table = table_of(tables, "overlap", ["language", "other"], ["k", "shared"])
    for k in sorted(set(table.k[table.k > 0])):
        pairs = table[table.k == k]
        shares = pairs.shared / pairs.k
        numbers = (
            f"of their {k:,} experts, two languages share {shares.mean():.1%} on average and {shares.max():.1%} at most"
        ).replace("%", " %")
        yield Finding(verdict(shares.mean() <= HARDLY, True), numbers, None, int(k))


def _against_pre(tables: Tables, condition: str) -> Iterator[tuple[str, int, str, float, float]]:
    """Yield kind, k, words and the interval of the change from `pre`, over all targets' and languages' sentences."""
    table = table_of(tables, "paraphrase", [*KEYS, "language"], ["n", "top1"])
    pre = table[table.condition == PRE].drop_duplicates("language").set_index("language")
    for kind, k, rows in settings(table, condition):
        rows = rows[rows.language.isin(pre.index) & (rows.n > 0)]
        if rows.empty:
            raise NotMeasured("the table paraphrase has no pre to compare with")
        before_rows = pre.loc[rows.language]
        n, n_before = int(rows.n.sum()), int(before_rows.n.sum())
        after = float((rows.top1 * rows.n).sum() / n)
        before = float((before_rows.top1 * before_rows.n).sum() / n_before)
        low, high = newcombe(before, n_before, after, n)
        words = (
            f"{condition} {after:.3f}, pre {before:.3f} (change {after - before:+.3f}, {interval_in_words(low, high)}; "
            f"{rows.language.nunique()} languages)"
        )
        yield kind, k, words, low, high


def _judged(
    change: np.ndarray, words: str, rule: Callable[[float, float], tuple[object, object]], kind: str, k: int
) -> Finding:
    """Judge the mean of a matrix of changes between languages by its interval: whether it holds, and whether not."""
    if len(change) < LEAST:
        return Finding(NOT_MEASURED, f"{len(change)} languages; an interval needs {LEAST}", kind, k)
    low, high = mean_of_pairs_interval(change)
    numbers = f"{words} (mean change {np.nanmean(change):+.3f}, {interval_in_words(low, high)})"
    return Finding(verdict(*rule(low, high)), numbers, kind, k)


CLAIMS: dict[str, tuple[str, Callable[[Tables], Iterator[Finding]]]] = {
    "C1": ("Steering raises the share of texts in the target language.", share_of_texts),
    "C2": ("Perplexity rises with k.", perplexity_with_k),
    "C3": ("Distances between languages shrink.", distances_shrink),
    "C4": ("Retrieval with the target as query improves for most candidates.", target_as_query),
    "C5": ("Retrieval improves for other query languages too.", others_as_query),
    "C6": ("Paraphrase retrieval holds: post is within a few points of pre.", paraphrases_kept),
    "C7": ("Mixed paraphrase retrieval falls: the new space is another space.", mixed_falls),
    "C8": ("Random neurons bring no such gain in retrieval.", random_brings_no_gain),
    "C9": ("Accuracy falls with distance.", accuracy_falls_with_distance),
    "C10": ("Experts of different languages hardly overlap.", experts_hardly_overlap),
}
"""Each claim with its statement, in the order of the paper, and with the rule that judges it."""

BESIDE_CONTROL = ("C1", "C3", "C4", "C5", "C6", "C7", "C9")
"""Claims about experts that random neurons may satisfy as well: judged of these too."""

RANKED = {"C3": "distance", "C4": "gain from the target", "C5": "gain from others"}
"""Claims whose effect is ranked among draws of random neurons (`controls`)."""
