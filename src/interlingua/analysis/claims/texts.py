"""C1 and C2: what the edited model writes, and how it reads (paper, section 3.3 and figure 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from interlingua.analysis.claims.effect import Effect
from interlingua.analysis.evidence import Edit, edits, originals, records
from interlingua.analysis.schema import Tables
from interlingua.intervals import Z, newcombe


def share_of_texts(tables: Tables) -> Iterator[Effect]:
    """C1: the share of texts in the target language rises; the texts of the two models are independent."""
    before = {row["target"]: row for row in records(originals(tables, "generation", ["target"], ["n", "share"]))}
    for edit, rows in edits(tables, "generation", [], ["n", "share"]):
        first, row = before.get(edit.target), records(rows)[0]
        if first is None or not first["n"] or not row["n"]:
            continue
        words = f"share of texts in the target language {row['share']:.3f}, originally {first['share']:.3f}"
        interval = newcombe(first["share"], first["n"], row["share"], row["n"])
        yield Effect.of(edit, row["share"] - first["share"], interval, words)


def perplexity_with_k(tables: Tables) -> Iterator[Effect]:
    """C2: log perplexity rises from k = 0 to the largest, and more pairs of k rise than fall.

    Where more pairs fall, the effect is the whole range of the curve, downward.
    """
    numbers = ["log_perplexity", "standard_error"]
    before = {row["target"]: row for row in records(originals(tables, "perplexity", ["target"], numbers))}
    curves: dict[Edit, list[tuple]] = {}
    for edit, rows in edits(tables, "perplexity", [], numbers):
        if edit.target in before:
            first, row = before[edit.target], records(rows)[0]
            curve = curves.setdefault(edit._replace(k=0), [(0, *(first[name] for name in numbers))])
            curve.append((edit.k, *(row[name] for name in numbers)))
    for edit, points in curves.items():
        curve = pd.DataFrame(points, columns=["k", *numbers]).sort_values("k")
        values, errors = curve.log_perplexity.to_numpy(), curve.standard_error.to_numpy()
        change, noise = rise(values), Z * float(np.hypot(errors[0], errors[-1]))
        words = f"{values[0]:.2f} originally, {values[-1]:.2f} at k = {curve.k.iloc[-1]:,}"
        yield replace(Effect.of(edit, change, (change - noise, change + noise), words), k=None)


def rise(values: np.ndarray) -> float:
    """Return the rise of a curve from its first to its last value; its range, negative, where more pairs fall.

    Example:
        >>> rise(np.array([2.0, 2.5, 3.0])), rise(np.array([2.0, 1.5, 1.25]))
        (1.0, -0.75)
    """
    steps = np.sign(values[None, :] - values[:, None])[np.triu_indices(len(values), 1)].sum()
    return float(values[-1] - values[0]) if steps > 0 else -float(np.ptp(values))
