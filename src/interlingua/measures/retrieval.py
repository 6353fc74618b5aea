"""Cross-lingual retrieval: is a sentence's nearest neighbour its translation? (paper, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from interlingua.errors import InputError

COLUMNS = ["query", "candidate", "n", "top1"]

TIE = 1e-12
"""Similarities nearer than this are equal: equal vectors may differ by the rounding of a matrix product."""


def retrieval(spaces: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Measure top-1 accuracy for every ordered pair of languages by cosine similarity.

    A tie between the right candidate and a wrong one is a miss. A language with itself is always right unless it holds
    the same embedding twice; such pairs are in the table, and averages leave them out.

    Args:
        spaces: For each language its embeddings; row i is the same sentence in each: float [sentences, dimensions].

    Returns:
        A tidy table with the columns query, candidate, n, top1 (a share between 0 and 1).

    Raises:
        InputError: Languages of unequal numbers of sentences.

    Example:
        >>> retrieval({"eng_Latn": np.eye(2), "spa_Latn": np.array([[1.0, 0.1], [1.0, 0.2]])}).query(
        ...     "query == 'eng_Latn' and candidate == 'spa_Latn'").top1.item()
        1.0
    """
    if len({len(space) for space in spaces.values()}) > 1:
        raise InputError("every language needs the same number of sentences: row i is the same sentence in each")
    unit = {}
    for code, space in spaces.items():
        vectors = np.asarray(space, dtype=np.float64)
        unit[code] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    n = len(next(iter(unit.values()), ()))
    top1: dict[tuple[str, str], float] = {}
    for a, b in [(code, code) for code in unit] + list(combinations(unit, 2)):
        similarities = unit[a] @ unit[b].T
        top1[a, b] = _top1(similarities)
        top1[b, a] = _top1(similarities.T)
    rows = [(a, b, n, top1[a, b]) for a in unit for b in unit]
    return pd.DataFrame(rows, columns=COLUMNS)


def _top1(similarities: np.ndarray) -> float:
    """Return the share of rows whose diagonal entry is above every other: float [queries, candidates]."""
    right = np.diagonal(similarities)
    others = similarities.copy()
    np.fill_diagonal(others, -np.inf)
    return float((right > others.max(axis=1) + TIE).mean())
