"""Cross-lingual retrieval: is a sentence's nearest neighbour its translation? (paper, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations_with_replacement

import numpy as np
import pandas as pd

from interlingua.measures.cosine import unit_spaces
from interlingua.progress import ProgressCallback, silent

COLUMNS = ["query", "candidate", "n", "top1"]

TIE = 1e-12
"""Similarities nearer than this are equal: equal vectors may differ by the rounding of a matrix product."""


def retrieval(
    spaces: Mapping[str, np.ndarray], *, progress: ProgressCallback = silent, task: str = "Retrieval"
) -> pd.DataFrame:
    """Measure top-1 accuracy for every ordered pair of languages by cosine similarity.

    A tie between the right candidate and a wrong one is a miss. A language with itself is always right unless it holds
    the same embedding twice; such pairs are in the table, and averages leave them out.

    Args:
        spaces: For each language its embeddings; row i is the same sentence in each: float [sentences, dimensions].
        progress: Called with the number of pairs of languages done.
        task: What to call this when telling progress.

    Returns:
        A tidy table with the columns query, candidate, n, top1 (a share between 0 and 1).

    Raises:
        InputError: Fewer than two sentences, or languages of unequal numbers of sentences.
        ActivationError: An embedding has no direction.

    Example:
        >>> retrieval({"eng_Latn": np.eye(2), "spa_Latn": np.array([[1.0, 0.1], [1.0, 0.2]])}).query(
        ...     "query == 'eng_Latn' and candidate == 'spa_Latn'").top1.item()
        1.0
    """
    unit = unit_spaces(spaces)
    n = len(next(iter(unit.values()), ()))
    top1: dict[tuple[str, str], float] = {}
    pairs = list(combinations_with_replacement(unit, 2))
    for done, (a, b) in enumerate(pairs):
        progress(task, done, len(pairs))
        similarities = unit[a] @ unit[b].T
        top1[a, b] = _top1(similarities)
        top1[b, a] = _top1(similarities.T)
    progress(task, len(pairs), len(pairs))
    rows = [(a, b, n, top1[a, b]) for a in unit for b in unit]
    return pd.DataFrame(rows, columns=COLUMNS)


def _top1(similarities: np.ndarray) -> float:
    """Return the share of rows whose diagonal entry is above every other: float [queries, candidates]."""
    right = np.diagonal(similarities)
    others = similarities.copy()
    np.fill_diagonal(others, -np.inf)
    return float((right > others.max(axis=1) + TIE).mean())
