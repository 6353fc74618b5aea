"""Bitext retrieval: pairs of sentences, each pair of languages with its own sentences (paper, table 7).

Tatoeba pairs every language with its own English sentences; BUCC hides the pairs among sentences that have no partner.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from interlingua.errors import InputError
from interlingua.intervals import wilson
from interlingua.measures.cosine import Directions, directions
from interlingua.measures.scoring import Scoring, answers_both_ways, answers_for_pairs, check_scoring
from interlingua.measures.search import Answers, tiles
from interlingua.progress import progress_bar

COLUMNS = ["query", "candidate", "n", "pool", "top1", "low", "high", "f1"]

Languages = tuple[str, str]


def bitext(
    pairs: Mapping[Languages, tuple[np.ndarray, np.ndarray]],
    *,
    gold: Mapping[Languages, np.ndarray] | None = None,
    scoring: Scoring = "cosine",
    n_neighbors: int | None = None,
) -> pd.DataFrame:
    """Measure top-1 accuracy and F1 from each language to its partner and back.

    Queries are the sentences of the gold pairs alone; candidates are all sentences of the other language. To leave
    sentences without a partner out, give the rows of the gold pairs only. A sentence in two gold pairs asks twice, and
    each time the other partner counts as wrong, as in mteb.

    Args:
        pairs: For each pair of languages the embeddings of the first and of the second: float [sentences, dimensions].
        gold: For pairs of languages whose row i is not the translation of row i: the rows of the first and of the
            second that translate each other, counted from 0: int [gold pairs, 2].
        scoring: `cosine`, `csls` or `margin`; see `retrieval`. Neighbours are sought among all sentences.
        n_neighbors: How many make a neighbourhood, for `csls` (10) and `margin` (4).

    Returns:
        A tidy table, two rows per pair of languages: query, candidate, n (queries), pool (candidates), top1, low and
        high (its Wilson interval of 95 %), f1 (of mteb's bitext mining: candidates are classes, weighted by support).

    Raises:
        InputError: Unequal numbers of sentences without gold, or gold that names rows that are not there.
        ActivationError: An embedding has no direction.

    Example:
        >>> spanish, english = np.eye(3), np.array([[0.0, 1.0, 0.1], [1.0, 0.0, 0.1]])
        >>> bitext({("spa_Latn", "eng_Latn"): (spanish, english)}, gold={("spa_Latn", "eng_Latn"): [[0, 1], [1, 0]]})[
        ...     ["query", "candidate", "n", "pool", "top1", "f1"]]
              query candidate  n  pool  top1   f1
        0  spa_Latn  eng_Latn  2     2   1.0  1.0
        1  eng_Latn  spa_Latn  2     3   1.0  1.0
    """
    return bitext_table(find_bitext(pairs, gold=gold, scoring=scoring, n_neighbors=n_neighbors))


def bitext_table(answers: Mapping[Languages, Answers]) -> pd.DataFrame:
    """Return what `bitext` does, from the answers of both directions of every pair of languages."""
    rows = [
        (*languages, len(a.gold), a.pool, a.top1, *wilson(a.top1, len(a.gold)), a.f1)
        for languages, a in answers.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def find_bitext(
    pairs: Mapping[Languages, tuple[np.ndarray, np.ndarray]],
    *,
    gold: Mapping[Languages, np.ndarray] | None = None,
    scoring: Scoring = "cosine",
    n_neighbors: int | None = None,
) -> dict[Languages, Answers]:
    """Return what `bitext` counts: the answer to each query, there and back."""
    gold = gold or {}
    if unknown := [f"{a} and {b}" for a, b in set(gold) - set(pairs)]:
        raise InputError(f"there are gold pairs for {', '.join(unknown)}, but no embeddings")
    prepared = {languages: _prepared(languages, *pairs[languages], gold.get(languages)) for languages in pairs}
    total = sum(_tiles(first, second, rows, scoring) for first, second, rows in prepared.values())
    answers: dict[Languages, Answers] = {}
    with progress_bar("Bitext retrieval", total=total) as bar:
        for (a, b), (first, second, rows) in prepared.items():
            k = check_scoring(scoring, n_neighbors, min(len(first), len(second)))
            if rows is None:
                answers[a, b], answers[b, a] = answers_both_ways(first, second, scoring, k, bar.update)
            else:
                answers[a, b], answers[b, a] = answers_for_pairs(first, second, rows, scoring, k, bar.update)
    return answers


def _prepared(
    languages: Languages, first: np.ndarray, second: np.ndarray, gold: np.ndarray | None
) -> tuple[Directions, Directions, np.ndarray | None]:
    a, b = (directions(given, code) for given, code in zip((first, second), languages, strict=True))
    named = " and ".join(languages)
    if a.given.shape[1] != b.given.shape[1]:
        raise InputError(f"the embeddings of {named} must have the same number of dimensions")
    if gold is None:
        if len(a) != len(b):
            raise InputError(f"{named} have {len(a)} and {len(b)} sentences: give `gold`, the rows that are pairs")
        return a, b, None
    rows = np.asarray(gold)
    if rows.ndim != 2 or rows.shape[1] != 2 or not len(rows) or not np.issubdtype(rows.dtype, np.integer):
        raise InputError(f"the gold pairs of {named} must be row numbers [gold pairs, 2], at least one pair")
    if rows.min() < 0 or (rows.max(axis=0) >= (len(a), len(b))).any():
        raise InputError(
            f"the gold pairs of {named} name rows {rows.min()} to {rows.max()}, but there are {len(a)} and {len(b)} "
            "sentences; rows are counted from 0"
        )
    return a, b, rows.astype(np.int64)


def _tiles(first: Directions, second: Directions, rows: np.ndarray | None, scoring: Scoring) -> int:
    """Return how many tiles a pair of languages will be searched in."""
    n, m = len(first), len(second)
    whole = len(list(tiles(n, m)))
    searched = whole if rows is None else len([*tiles(len(rows), m), *tiles(len(rows), n)])
    return searched if scoring == "cosine" else searched + whole
