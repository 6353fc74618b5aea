"""How many experts: more text in the target language against higher perplexity (paper, section 3.3 and figure 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from interlingua.analysis.evidence import edit_changes
from interlingua.analysis.schema import EDIT, KEYS, ORIGINAL, RANDOM, STEERED

NUMBERS = ["share", "share_se", "posterior", "posterior_se"]
COLUMNS = [*EDIT, *NUMBERS, "log_perplexity", "standard_error", "gain", "rise", "within", "picked"]


def sweep(
    generation: pd.DataFrame,
    perplexity: pd.DataFrame,
    retrieval: Sequence[pd.DataFrame] = (),
    *,
    by: Literal["share", "posterior"],
    bound: float,
) -> pd.DataFrame:
    """Put the two curves of figure 3 side by side, with the gain of retrieval, and pick k.

    "We select the value for k that balances generating text in the target language with a low perplexity" (section
    3.3); the paper gives no rule. Here, of the k whose log perplexity exceeds the original model's by `bound` at most,
    the one with the most text in the target language is picked, and of equals the smallest.

    Args:
        generation: Tidy table with the columns condition, target, kind, k, and those of `language_shares`.
        perplexity: Tidy table with the same four, log_perplexity and standard_error.
        retrieval: Tidy tables with the same four, query, candidate and top1, where it was measured.
        by: Which reading of "the probability of the target language" is to be largest.
        bound: In nats.

    Returns:
        One row for each target, kind and k, 0 being the original model: both curves, gain (of top-1, the target being
        the query, on the mean over candidates; missing where retrieval was not measured), rise (of log perplexity
        above the original), within (whether that is within the bound) and picked. A target without perplexity has no
        row.

    Example:
        >>> keys = {"condition": ["original", *["steered"] * 3], "target": "spa_Latn", "kind": [None, *["mean"] * 3],
        ...     "k": [0, 100, 500, 2000]}
        >>> share = pd.DataFrame({**keys, "share": [0.1, 0.5, 0.9, 1.0], "posterior": 0.5, "share_se": 0.1,
        ...     "posterior_se": 0.1})
        >>> loss = pd.DataFrame({**keys, "log_perplexity": [3.0, 3.1, 3.8, 5.5], "standard_error": 0.1})
        >>> sweep(share, loss, by="share", bound=1.0)[["k", "share", "rise", "within", "picked"]].round(1)
              k  share  rise  within  picked
        0     0    0.1   0.0    True   False
        1   100    0.5   0.1    True   False
        2   500    0.9   0.8    True    True
        3  2000    1.0   2.5   False   False
    """
    rows = []
    both = generation[generation.condition != RANDOM].merge(
        perplexity[[*KEYS, "log_perplexity", "standard_error"]], on=KEYS
    )
    gains = _gains(retrieval)
    originals = both[both.condition == ORIGINAL]
    for (target, kind), edited in both[both.condition == STEERED].groupby(["target", "kind"], sort=False):
        before = originals[originals.target == target]
        if before.empty:
            continue
        curve = pd.concat([before.assign(kind=str(kind)), edited[edited.k > 0].sort_values("k")]).reset_index(drop=True)
        curve["gain"] = [0.0 if k == 0 and gains else gains.get((target, kind, k)) for k in curve.k]
        curve["gain"] = curve.gain.astype("Float64")
        curve["rise"] = curve.log_perplexity - curve.log_perplexity.iloc[0]
        curve["within"] = curve.rise <= bound
        best = np.where(curve.within, curve[by], -np.inf).argmax()  # the first of equals
        curve["picked"] = curve.index == best
        rows.append(curve[COLUMNS])
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=COLUMNS)


def _gains(retrieval: Sequence[pd.DataFrame]) -> dict[tuple, float]:
    """Return the mean gain of top-1 over candidates, the target being the query, by target, kind and k."""
    if not retrieval:
        return {}
    table = pd.concat(retrieval)
    from_target = table["query"] == table.target
    pairs = table[(table["query"] != table.candidate) & ((table.condition == ORIGINAL) | from_target)]
    changed = edit_changes({"retrieval": pairs}, "retrieval", ["query", "candidate"], "top1")
    return {edit[:3]: float(gains.change.mean()) for edit, gains in changed if edit.match == STEERED}
