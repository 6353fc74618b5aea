"""Paraphrase retrieval: is similarity within a language kept? (paper, section 6)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from interlingua.errors import InputError
from interlingua.intervals import wilson
from interlingua.measures.cosine import directions
from interlingua.measures.search import Answers, nearest

COLUMNS = ["language", "n", "top1", "low", "high"]


def paraphrase(pairs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Measure whether each sentence's nearest candidate is its paraphrase (paper, tables 3, 5 and 6).

    The two sides may be embedded by two models, as in the paper's mixed retrieval.

    Args:
        pairs: For each language the embeddings of its sentences and of their paraphrases, row i of the two a pair: two
            of float [pairs, dimensions].

    Returns:
        A tidy table with the columns language, n, top1, low and high (its Wilson interval of 95 %). Ties between the
        right candidate and a wrong one are misses.

    Raises:
        InputError: A language has more or fewer paraphrases than sentences.
        ActivationError: An embedding has no direction.

    Example:
        >>> sentences, turned = np.eye(3), np.roll(np.eye(3), 1, axis=1)
        >>> paraphrase({"spa_Latn": (sentences, sentences + 0.1), "fra_Latn": (sentences, turned)})[
        ...     ["language", "n", "top1"]]
           language  n  top1
        0  spa_Latn  3   1.0
        1  fra_Latn  3   0.0
    """
    return paraphrase_table(find_paraphrases(pairs))


def paraphrase_table(answers: Mapping[str, Answers]) -> pd.DataFrame:
    """Return what `paraphrase` does, from the answers of every language."""
    rows = [(code, len(a.gold), a.top1, *wilson(a.top1, len(a.gold))) for code, a in answers.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def find_paraphrases(pairs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, Answers]:
    """Return what `paraphrase` counts: the answer to each sentence of a language."""
    answers = {}
    for code, (queries, candidates) in pairs.items():
        n = len(queries)
        if len(candidates) != n:
            raise InputError(f"{code} has {n} sentences and {len(candidates)} paraphrases; row i of the two is a pair")
        answers[code] = nearest(directions(queries, code), directions(candidates, code), np.arange(n))
    return answers
