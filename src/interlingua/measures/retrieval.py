"""Cross-lingual retrieval: is a sentence's nearest neighbour its translation? (paper, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations_with_replacement, product

import numpy as np
import pandas as pd

from interlingua.intervals import wilson
from interlingua.measures.cosine import aligned_directions
from interlingua.measures.scoring import Scoring, answers_both_ways, check_scoring
from interlingua.measures.search import Answers
from interlingua.progress import progress_bar

COLUMNS = ["query", "candidate", "n", "top1", "low", "high", "f1"]


def retrieval(
    spaces: Mapping[str, np.ndarray],
    *,
    scoring: Scoring = "cosine",
    n_neighbors: int | None = None,
) -> pd.DataFrame:
    """Measure top-1 accuracy for every ordered pair of languages (paper, figures 4, 5 and 7 to 15).

    A tie between the right candidate and a wrong one is a miss. A language with itself is always right by cosine unless
    it holds the same embedding twice; such pairs are in the table, and averages leave them out.

    Args:
        spaces: For each language its embeddings; row i is the same sentence in each: float [sentences, dimensions].
        scoring: How near a candidate is:

            - `cosine`, the paper's. Computed in float32; where that cannot tell candidates apart, float64 decides.
            - `csls`: `2 cos(x, y) - r(x) - r(y)`, r being the mean similarity to the nearest neighbours in the other
              language (Conneau et al. 2018). It ranks hubs, sentences that are near everything, lower.
            - `margin`: `2 cos(x, y) / (r(x) + r(y))`, the ratio margin of Artetxe and Schwenk 2019.
        n_neighbors: How many make a neighbourhood; by default 10 for `csls` and 4 for `margin`, as in their papers.

    Returns:
        A tidy table with the columns query, candidate, n (sentences), top1 (a share between 0 and 1), low and high (its
        Wilson interval of 95 %), and f1 (of mteb's bitext mining; where candidates tie, the answer is a wrong one).

    Raises:
        InputError: Fewer than two sentences, or languages of unequal numbers of sentences, or an unknown scoring.
        ActivationError: An embedding has no direction.

    Example:
        >>> retrieval({"eng_Latn": np.eye(2), "spa_Latn": np.array([[1.0, 0.1], [1.0, 0.2]])}).query(
        ...     "query == 'eng_Latn' and candidate == 'spa_Latn'").top1.item()
        1.0
    """
    return retrieval_table(find_answers(spaces, scoring=scoring, n_neighbors=n_neighbors))


def retrieval_table(answers: Mapping[tuple[str, str], Answers]) -> pd.DataFrame:
    """Return what `retrieval` does, from the answers of every ordered pair of languages."""
    codes = list(dict.fromkeys(a for a, _ in answers))
    rows = []
    for a, b in product(codes, repeat=2):
        answer = answers[a, b]
        rows.append((a, b, answer.pool, answer.top1, *wilson(answer.top1, answer.pool), answer.f1))
    return pd.DataFrame(rows, columns=COLUMNS)


def find_answers(
    spaces: Mapping[str, np.ndarray],
    *,
    scoring: Scoring = "cosine",
    n_neighbors: int | None = None,
) -> dict[tuple[str, str], Answers]:
    """Return, for every ordered pair of languages, what `retrieval` counts: the answer to each sentence."""
    all_directions = aligned_directions(spaces)
    k = check_scoring(scoring, n_neighbors, len(next(iter(all_directions.values()), ())))
    answers: dict[tuple[str, str], Answers] = {}
    pairs = list(combinations_with_replacement(all_directions, 2))
    with progress_bar("Retrieval", total=len(pairs), unit="pair") as bar:
        for a, b in pairs:
            answers[a, b], answers[b, a] = answers_both_ways(all_directions[a], all_directions[b], scoring, k)
            bar.update()
    return answers
