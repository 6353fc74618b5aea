"""What edits add to retrieval with the target as query, over the languages that are searched (section 5)."""

from __future__ import annotations

import pandas as pd

from interlingua.analysis.evidence import changes
from interlingua.analysis.schema import ORIGINAL, OVER_TARGETS, groups

COLUMNS = [*OVER_TARGETS, "pairs", "mean", "median", "max", "better"]


def gains(retrieval: pd.DataFrame) -> pd.DataFrame:
    """Return the gain of top-1 with the target as query, over the candidate languages of all targets.

    Args:
        retrieval: The table of a study.

    Returns:
        A tidy table: condition, kind, k, pairs (how many), mean, median and max (of the gains), better (the share of
        pairs that gain); empty without the original model.

    Example:
        >>> pairs = pd.DataFrame({"query": "spa_Latn", "candidate": ["eng_Latn", "deu_Latn"]})
        >>> before = pairs.assign(condition="original", target=None, kind=None, k=0, top1=[0.25, 0.5])
        >>> after = pairs.assign(condition="steered", target="spa_Latn", kind="add", k=9, top1=[0.75, 0.5])
        >>> gains(pd.concat([before, after]))
          condition kind  k  pairs  mean  median  max  better
        0   steered  add  9      2  0.25    0.25  0.5     0.5
    """
    pairs = retrieval[retrieval["query"] != retrieval.candidate]
    rows = []
    if (pairs.condition == ORIGINAL).any():
        edited = pairs[(pairs.condition != ORIGINAL) & (pairs["query"] == pairs.target)]
        for key, of_edit in groups(edited, OVER_TARGETS):
            gain = changes(pairs, of_edit, ["query", "candidate"], "top1").change
            rows.append((*key, len(gain), gain.mean(), gain.median(), gain.max(), (gain > 0).mean()))
    return pd.DataFrame(rows, columns=COLUMNS)
