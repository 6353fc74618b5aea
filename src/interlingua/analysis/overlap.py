"""How good the experts of languages are, and how many they share (paper, sections 3.2 and 9)."""

from __future__ import annotations

import pandas as pd

from interlingua.errors import InputError

COLUMNS = ["k", "pairs", "mean_share", "max_share", "chance", "languages", "mean_auroc", "lowest_auroc"]


def overlap(shared: pd.DataFrame, experts: pd.DataFrame, *, neurons: int | None = None) -> pd.DataFrame:
    """Summarise the overlap and the AUROC of the top k experts over languages.

    Args:
        shared: What `Experts.overlap` gives for one or more k: language, other, k, shared.
        experts: What `Experts.summary` gives for the same: language, k, mean_auroc, lowest_auroc.
        neurons: How many neurons the network has, from which chance is computed.

    Returns:
        One row for each k above 0: pairs of languages, mean_share and max_share (of the k neurons, the share that two
        languages have in common), chance (the share that two random choices of k neurons would have; missing without
        `neurons`), languages, mean_auroc and lowest_auroc (of the top k, over languages).

    Raises:
        InputError: The two tables are of different k, or k is more than there are neurons.

    Example:
        >>> shared = pd.DataFrame({"language": ["eng_Latn"], "other": ["spa_Latn"], "k": [200], "shared": [3]})
        >>> experts = pd.DataFrame({"language": ["eng_Latn", "spa_Latn"], "k": 200, "mean_auroc": [0.98, 0.96],
        ...     "lowest_auroc": [0.9, 0.8]})
        >>> overlap(shared, experts, neurons=80_000)[["k", "mean_share", "chance", "mean_auroc"]]
             k  mean_share  chance  mean_auroc
        0  200       0.015  0.0025        0.97
    """
    shared, experts = shared[shared.k > 0], experts[experts.k > 0]
    if set(shared.k) != set(experts.k):
        raise InputError(f"overlaps are of k = {sorted(set(shared.k))}, experts of k = {sorted(set(experts.k))}")
    if neurons is not None and len(shared) and shared.k.max() > neurons:
        raise InputError(f"k = {shared.k.max():,} is more than the {neurons:,} neurons")
    rows = []
    for k, pairs in shared.groupby("k"):
        shares, of_k = pairs.shared / pairs.k, experts[experts.k == k]
        chance = pd.NA if neurons is None else float(of_k.k.iloc[0]) / neurons
        aurocs = (len(of_k), of_k.mean_auroc.mean(), of_k.lowest_auroc.min())
        rows.append((k, len(pairs), shares.mean(), shares.max(), chance, *aurocs))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"chance": "Float64"})
