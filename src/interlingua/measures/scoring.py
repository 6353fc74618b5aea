"""Scores for retrieval that correct for hubs: sentences that are near everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import numpy as np

from interlingua.errors import InputError
from interlingua.measures.cosine import Directions
from interlingua.measures.search import (
    Answers,
    Scores,
    highest,
    highest_both_ways,
    nearest,
    nearest_both_ways,
    tiles,
)

Scoring: TypeAlias = Literal["cosine", "csls", "margin"]

N_NEIGHBORS = {"csls": 10, "margin": 4}
"""How many neighbours make a neighbourhood: as in Conneau et al. 2018, and in Artetxe and Schwenk 2019."""


def check_scoring(scoring: str, n_neighbors: int | None, sentences: int) -> int:
    """Return the number of neighbours to use, 0 for cosine.

    Raises:
        InputError: The scoring is unknown, or there are fewer sentences than neighbours.
    """
    if scoring not in get_args(Scoring):
        raise InputError(f"unknown scoring '{scoring}'; use {', '.join(get_args(Scoring))}")
    if scoring == "cosine":
        if n_neighbors is not None:
            raise InputError("cosine similarity takes no neighbours; use the scoring csls or margin, or leave them out")
        return 0
    k = N_NEIGHBORS[scoring] if n_neighbors is None else n_neighbors
    if not 1 <= k <= sentences:
        raise InputError(f"{scoring} needs 1 to {sentences} neighbours, no more than there are sentences; not {k}")
    return k


def answers_both_ways(
    first: Directions, second: Directions, scoring: Scoring, n_neighbors: int, tick: Callable[[], object] = lambda: None
) -> tuple[Answers, Answers]:
    """Search `second` for each of `first`, and the reverse; row i of the two is a pair."""
    if scoring == "cosine":
        return nearest_both_ways(first, second, tick)
    cosines = _cosines(first, second)
    of_first, of_second = _neighbourhoods(cosines, len(first), len(second), scoring, n_neighbors, tick)

    def scores(rows: slice, columns: slice) -> np.ndarray:
        return _corrected(cosines(rows, columns), of_first[rows], of_second[columns], scoring)

    return highest_both_ways(scores, len(first), tick)


def answers_for_pairs(
    first: Directions,
    second: Directions,
    pairs: np.ndarray,
    scoring: Scoring,
    n_neighbors: int,
    tick: Callable[[], object] = lambda: None,
) -> tuple[Answers, Answers]:
    """Search all of `second` for the first of each pair, and all of `first` for the second of each pair.

    Args:
        first: Directions of one language's sentences.
        second: Directions of the other's.
        pairs: Rows of `first` and of `second` that translate each other: int64 [pairs, 2].
        scoring: The score.
        n_neighbors: How many make a neighbourhood; sentences outside all pairs are neighbours too.
        tick: Called after each tile.

    Raises:
        InputError: The scoring is `margin` and a neighbourhood's mean similarity is not positive.
    """
    left, right = pairs.T
    from_left, from_right = first.take(left), second.take(right)
    if scoring == "cosine":
        return nearest(from_left, second, right, tick), nearest(from_right, first, left, tick)
    of_first, of_second = _neighbourhoods(_cosines(first, second), len(first), len(second), scoring, n_neighbors, tick)

    def there(rows: slice, columns: slice) -> np.ndarray:
        cosines = from_left.double(rows) @ second.double(columns).T
        return _corrected(cosines, of_first[left[rows]], of_second[columns], scoring)

    def back(rows: slice, columns: slice) -> np.ndarray:
        cosines = from_right.double(rows) @ first.double(columns).T
        return _corrected(cosines, of_second[right[rows]], of_first[columns], scoring)

    return highest(there, right, len(second), tick), highest(back, left, len(first), tick)


def _cosines(first: Directions, second: Directions) -> Scores:
    """Return cosine similarities by tile, in float64: neighbourhoods and ties need every digit."""
    if len(list(tiles(len(first), len(second)))) == 1:
        whole = first.double() @ second.double().T
        return lambda rows, columns: whole[rows, columns]
    return lambda rows, columns: first.double(rows) @ second.double(columns).T


def _corrected(cosines: np.ndarray, of_queries: np.ndarray, of_candidates: np.ndarray, scoring: Scoring) -> np.ndarray:
    around = of_queries[:, None] + of_candidates
    return 2 * cosines - around if scoring == "csls" else 2 * cosines / around


def _neighbourhoods(
    cosines: Scores, first: int, second: int, scoring: Scoring, n_neighbors: int, tick: Callable[[], object]
) -> tuple[np.ndarray, np.ndarray]:
    """Return each sentence's mean cosine similarity to its nearest neighbours in the other language.

    Returns:
        For the first language's sentences and for the second's: float64 [sentences] each.
    """
    highest_of_first = np.full((first, n_neighbors), -np.inf)
    highest_of_second = np.full((second, n_neighbors), -np.inf)
    for rows, columns in tiles(first, second):
        tile = cosines(rows, columns)
        _keep_highest(highest_of_first[rows], tile)
        _keep_highest(highest_of_second[columns], np.ascontiguousarray(tile.T))
        tick()
    of_first, of_second = highest_of_first.mean(axis=1), highest_of_second.mean(axis=1)
    if scoring == "margin" and of_first.min() + of_second.min() <= 0:
        raise InputError(
            "the ratio margin is not defined where the mean similarity to the nearest neighbours is not above zero; "
            "use the scoring csls"
        )
    return of_first, of_second


def _keep_highest(kept: np.ndarray, similarities: np.ndarray) -> None:
    n_neighbors = kept.shape[1]
    if similarities.shape[1] > n_neighbors:
        similarities = np.partition(similarities, -n_neighbors, axis=1)[:, -n_neighbors:]
    kept[:] = np.sort(np.concatenate([kept, similarities], axis=1), axis=1)[:, -n_neighbors:]
