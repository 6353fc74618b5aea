"""Which sentences were found: the answers behind an accuracy, a bit each, so that later tests can be paired."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from interlingua.measures.search import Answers


def hits_table(answers: Mapping[tuple[str, str], Answers]) -> pd.DataFrame:
    """Return which queries found their partner, for every ordered pair of different sides.

    Args:
        answers: By query and candidate: two languages, or the two sides of one.

    Returns:
        A tidy table with the columns query, candidate, n (queries) and bits: bytes, a bit a query.
    """
    rows = [
        (a, b, len(answer.gold), packed(answer.chosen == answer.gold)) for (a, b), answer in answers.items() if a != b
    ]
    return pd.DataFrame(rows, columns=["query", "candidate", "n", "bits"])


def packed(hits: np.ndarray) -> bytes:
    """Return bools as bytes, eight to one.

    Example:
        >>> packed(np.array([True, False, True])) == bytes([0b10100000])
        True
    """
    return np.packbits(hits).tobytes()
