"""C3, C9 and C11 to C13: distances, and how accuracy goes with them (paper, sections 4 and 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from interlingua.analysis.claims.effect import Effect
from interlingua.analysis.evidence import Edit, NotMeasured, edit_changes, edits, matrix, records
from interlingua.analysis.landing import landing
from interlingua.analysis.schema import STEERED, UNIFORM, Tables, groups
from interlingua.intervals import mean_of_pairs_interval, newcombe

LEAST = 3
"""Languages that an interval over pairs needs: leaving one of two out leaves no pair."""


def distances_shrink(tables: Tables) -> Iterator[Effect]:
    """C3: the mean distance between languages falls."""
    pair = ["measure", "language", "other"]
    for edit, there in edit_changes(tables, "geometry", pair, "value", lambda rows: rows.measure == "distance"):
        back = there.rename(columns={"language": "other", "other": "language"})
        change = -matrix(pd.concat([there, back]), "language", "other")
        if len(change) < LEAST:
            raise NotMeasured(f"{len(change)} languages; an interval needs {LEAST}")
        words = f"mean distance {there.value.mean():.3f}, originally {there.before.mean():.3f}"
        yield Effect.of(edit, -there.change.mean(), mean_of_pairs_interval(change), words)


def accuracy_falls_with_distance(tables: Tables) -> Iterator[Effect]:
    """C9: with the target as query, accuracy falls with distance, after the edit and before."""
    for edit, found, words in _correlations(tables, "acc_post ~ d_post"):
        row, before = found["acc_post ~ d_post"], found["acc_pre ~ d_pre"]
        words += f"; before the edit {_in_words(before)}"
        falls = not before["defined"] or before["r"] < 0
        yield Effect.of(edit, -row["r"], (-row["high"], -row["low"]), words, falls)


def distances_correlate(tables: Tables) -> Iterator[Effect]:
    """C12: languages nearer to the target before the edit are nearer after it."""
    yield from _correlation(tables, "d_post ~ d_pre")


def gain_without_shrinking(tables: Tables) -> Iterator[Effect]:
    """C13: the gain of accuracy does not correlate with the loss of distance."""
    yield from _correlation(tables, "gain ~ d_pre - d_post")


def a_new_space(tables: Tables) -> Iterator[Effect]:
    """C11: edited languages land at the target's old place no more often than with random neurons."""
    landed = landing(tables)
    if landed.empty:
        raise NotMeasured("the table cross_space is missing")
    landed["match"] = landed.match.fillna(landed.condition.map({STEERED: STEERED}).fillna(UNIFORM))
    random = landed[landed.match != STEERED]
    some = False
    for (target, kind, k), rows in groups(landed[landed.match == STEERED], ["target", "kind", "k"]):
        draws = random[(random.target == target) & (random.kind == kind) & (random.k == k)]
        if draws.empty:
            continue
        some = True
        row, chance = rows.iloc[0], float(draws.share.mean())
        words = (
            f"{row.at_target} of {row.languages} languages end nearest to where the target was, {chance:.0%} with "
            f"random neurons; distance to it {row.distance_before:.3f} before and {row.distance:.3f} after"
        ).replace("%", " %")
        interval = newcombe(float(row.share), int(row.languages), chance, int(row.languages))
        yield Effect.of(Edit(target, kind, k), chance - row.share, interval, words)
    if not some:
        raise NotMeasured("the table cross_space has no random neurons to compare with")


def _correlation(tables: Tables, name: str) -> Iterator[Effect]:
    for edit, found, words in _correlations(tables, name):
        row = found[name]
        yield Effect.of(edit, row["r"], (row["low"], row["high"]), words)


def _correlations(tables: Tables, name: str) -> Iterator[tuple[Edit, dict[str, dict[str, Any]], str]]:
    """Yield the edits for which a correlation is defined, with all their correlations by name, and it in words.

    They are over the languages that were seen in pre-training, as in the paper, where it is known which those are.
    """
    some = False
    of_all = {title: tables[title].assign(among="all") for title in ("correlation", "control_correlation")
              if title in tables and "among" not in tables[title]}  # fmt: skip
    labels = ["correlation", "among", "r", "low", "high", "candidates", "defined"]
    for edit, rows in edits({**tables, **of_all}, "correlation", labels, []):
        sets: dict[str, dict[str, dict[str, Any]]] = {}
        for row in records(rows):
            sets.setdefault(row["among"], {})[row["correlation"]] = row
        found = sets.get("seen", sets["all"])
        if not found[name]["defined"]:
            continue
        some = True
        words = f"r = {_in_words(found[name])} over {found[name]['candidates']} candidates"
        if "seen" in sets:
            words += f" seen in pre-training, {_in_words(sets['all'][name])} over all"
        yield edit, found, words
    if not some:
        raise NotMeasured(f"the correlation {name} is defined for no edit")


def _in_words(row: dict[str, Any]) -> str:
    return f"{row['r']:+.2f}" if row["defined"] else "not defined"
