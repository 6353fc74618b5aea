"""Paraphrase retrieval: is similarity within a language kept, and is the new space another one? (paper, section 6)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from interlingua.errors import InputError
from interlingua.intervals import wilson
from interlingua.measures.cosine import directions
from interlingua.measures.search import nearest

COLUMNS = ["condition", "language", "n", "top1", "low", "high"]

Paraphrases = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""For each language the embeddings of sentences and of their paraphrases, row i of the two a pair."""


def paraphrase(
    original: Paraphrases,
    edited: Paraphrases | None = None,
) -> pd.DataFrame:
    """Measure whether each sentence's nearest candidate is its paraphrase (paper, tables 3, 5 and 6).

    Args:
        original: For each language the embeddings of its sentences and of their paraphrases from the original model:
            two of float [pairs, dimensions].
        edited: The same sentences from the edited model, steered or with random neurons; without it `pre` alone is
            measured.

    Returns:
        A tidy table with the columns condition, language, n, top1, low and high (its Wilson interval of 95 %). The
        conditions: `pre`, both from the original model; `post`, both from the edited one; `mixed`, the query from the
        original and the candidates from the edited model. Ties between the right candidate and a wrong one are misses.

    Raises:
        InputError: The two models' languages or numbers of sentences differ.
        ActivationError: An embedding has no direction.

    Example:
        >>> sentences, paraphrases = np.eye(3), np.eye(3) + 0.1
        >>> turned = np.roll(np.eye(3), 1, axis=1)
        >>> paraphrase({"spa_Latn": (sentences, paraphrases)}, {"spa_Latn": (turned, turned)})[
        ...     ["condition", "language", "n", "top1"]]
          condition  language  n  top1
        0       pre  spa_Latn  3   1.0
        1      post  spa_Latn  3   1.0
        2     mixed  spa_Latn  3   0.0
    """
    if edited is not None and set(edited) != set(original):
        raise InputError("the original and the edited model need paraphrases of the same languages")
    searches = []
    for code, (queries, candidates) in original.items():
        searches.append(("pre", code, queries, candidates))
        if edited is not None:
            searches.append(("post", code, *edited[code]))
            searches.append(("mixed", code, queries, edited[code][1]))
    sizes = {code: len(queries) for code, (queries, _) in original.items()}
    for condition, code, queries, candidates in searches:
        if not len(queries) == len(candidates) == sizes[code]:
            raise InputError(
                f"{code} ({condition}): as many paraphrases are needed as sentences, row i of the two a pair"
            )
    rows = []
    for condition, code, queries, candidates in searches:
        n = len(queries)
        answers = nearest(directions(queries, code), directions(candidates, code), np.arange(n))
        rows.append((condition, code, n, answers.top1, *wilson(answers.top1, n)))
    return pd.DataFrame(rows, columns=COLUMNS)
