"""Where edited languages land in the original space: at the target's old place, or in a new one (paper, section 4)."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from interlingua.analysis.correlation import Pearson, pearson
from interlingua.analysis.evidence import edit_changes
from interlingua.analysis.schema import CONTROL, DRAW, EDIT, KEYS, ORIGINAL, STEERED, Tables, groups

COLUMNS = [
    "condition", *DRAW, "languages", "at_target", "share", "distance_before", "distance", "target_moved", "top1_before",
    "top1",
]  # fmt: skip


def landing(tables: Tables) -> pd.DataFrame:
    """Say, for each edit, how many languages lie nearest to the target's place in the original space.

    Args:
        tables: Of a study: `cross_space`, and `control_cross_space` of further draws of random neurons.

    Returns:
        A tidy table, a row for each edit: condition, target, kind, k, match and draw (of further draws), languages
        (other than the target), at_target and share (of them, whose nearest original language is the target),
        distance_before and distance (the mean cosine distance of their means to the target's original mean, before and
        after the edit), target_moved (that of the target itself), top1_before and top1 (the mean share of their
        sentences that find the translation among the target's original sentences).
    """
    if "cross_space" not in tables:
        return pd.DataFrame(columns=COLUMNS)
    table = tables["cross_space"]
    before = table[table.condition == ORIGINAL]
    rows = []
    for key, edited in _edits(tables):
        target = key[1]
        others = edited[edited.language != target]
        nearest = others.loc[others.groupby("language").distance.idxmin()]
        to_target = others[others.other == target]
        first = before[(before.other == target) & (before.language != target)]
        moved = edited[(edited.language == target) & (edited.other == target)].distance.item()
        at_target = int((nearest.other == target).sum())
        places = len(nearest), at_target, at_target / len(nearest), first.distance.mean(), to_target.distance.mean()
        rows.append((*key, *places, moved, first.top1.mean(), to_target.top1.mean()))
    return pd.DataFrame(rows, columns=COLUMNS)


def landing_and_gain(tables: Tables) -> pd.DataFrame:
    """Set, for each edit of experts, the share of languages that land at the target's old place beside the gain.

    Args:
        tables: Of a study: `cross_space`, and `retrieval`.

    Returns:
        A tidy table: target, kind, k, share (of `landing`) and gain (the mean change of top-1 over pairs of different
        languages); empty where one of the two was not measured.
    """
    landed = landing(tables)
    landed = landed[landed.condition == STEERED]
    if landed.empty or "retrieval" not in tables:
        return pd.DataFrame(columns=[*EDIT, "share", "gain"])
    changed = edit_changes(
        tables, "retrieval", ["query", "candidate"], "top1", lambda rows: rows["query"] != rows.candidate
    )
    gains = [(*edit[:3], gains.change.mean()) for edit, gains in changed if edit.match == STEERED]
    return landed[[*EDIT, "share"]].merge(pd.DataFrame(gains, columns=[*EDIT, "gain"]), on=EDIT)


def landing_correlation(edits: pd.DataFrame) -> Pearson:
    """Correlate landing with the gain over edits.

    Args:
        edits: Rows of `landing_and_gain`, a target each.
    """
    return pearson(edits.share.to_numpy(), edits.gain.to_numpy())


def _edits(tables: Tables) -> Iterator[tuple[tuple, pd.DataFrame]]:
    table = tables["cross_space"]
    for (condition, target, kind, k), edited in groups(table[(table.condition != ORIGINAL) & (table.k > 0)], KEYS):
        yield (condition, target, kind, k, None, None), edited
    if "control_cross_space" in tables:
        for draw, edited in groups(tables["control_cross_space"], DRAW):
            yield (CONTROL, *draw), edited
