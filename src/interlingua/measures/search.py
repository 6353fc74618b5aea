"""Exact nearest neighbours among candidates: the one loop behind every kind of retrieval.

Similarities are computed in tiles of bounded size, in float32, on a GPU where there is one. Where float32 cannot tell
two candidates apart, float64 decides; so the answers are those of float64, whatever the tiles and the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from interlingua.measures.cosine import Directions

TILE = 2048
"""Queries and candidates per tile: 16 MB of float32, fast, and small compared with the embeddings."""

TIE = 1e-12
"""Similarities nearer than this are equal: equal vectors may differ by the rounding of a matrix product."""

ROUNDING_DEVIATIONS = 8
"""How many standard deviations of rounding error float32 is allowed before float64 decides."""

Scores = Callable[[slice, slice], np.ndarray]
"""Called with queries and candidates: their scores, a new array of float [queries, candidates]."""

Products = Callable[[slice, slice], np.ndarray | torch.Tensor]
"""The same on any device."""


@dataclass(frozen=True)
class Answers:
    """What a search chose.

    Attributes:
        chosen: For each query the candidate of the highest score. Where the right one and a wrong one tie, it is the
            wrong one: int64 [queries].
        gold: The right candidate of each query: int64 [queries].
        pool: How many candidates there were.
    """

    chosen: np.ndarray
    gold: np.ndarray
    pool: int

    @property
    def top1(self) -> float:
        """Return the share of queries whose right candidate scores above every other."""
        return float((self.chosen == self.gold).mean())

    @property
    def f1(self) -> float:
        """Return the F1 of mteb's bitext mining, which sees candidates as classes.

        Each candidate's F1 is weighted by the number of queries whose right answer it is, as by scikit-learn's
        `f1_score(gold, chosen, average="weighted")`. A candidate that many queries choose wrongly has low precision,
        so F1 lies below accuracy where there are hubs.
        """
        support = np.bincount(self.gold, minlength=self.pool)
        predicted = np.bincount(self.chosen, minlength=self.pool)
        hits = np.bincount(self.gold[self.chosen == self.gold], minlength=self.pool)
        asked = support > 0
        f1 = 2 * hits[asked] / (support[asked] + predicted[asked])
        return float(f1 @ support[asked] / len(self.gold))


@dataclass(frozen=True)
class _Best:
    """The best of what was seen, for each query: the right candidate's score, the two highest wrong ones, and where."""

    gold: np.ndarray
    right: np.ndarray
    wrong: np.ndarray
    index: np.ndarray
    second: np.ndarray

    @classmethod
    def of(cls, gold: np.ndarray) -> _Best:
        low = np.full(len(gold), -np.inf)
        return cls(gold, low.copy(), low.copy(), np.zeros(len(gold), dtype=np.int64), low.copy())

    def see(self, scores: np.ndarray | torch.Tensor, queries: slice, candidates: slice) -> None:
        """Take in the scores of a tile, [queries, candidates]; they are overwritten."""
        local = self.gold[queries] - candidates.start
        has = np.flatnonzero((local >= 0) & (local < scores.shape[1]))
        if isinstance(scores, torch.Tensor):
            peaks = _peaks_on_device(scores, has, local[has])
        else:
            peaks = _peaks(scores, has, local[has])
        self.right[queries][has], best, at, runner_up = peaks
        wrong, index, second = self.wrong[queries], self.index[queries], self.second[queries]
        better = best > wrong
        second[:] = np.maximum(np.maximum(second, runner_up), np.minimum(wrong, best))
        index[better] = at[better] + candidates.start
        wrong[better] = best[better]

    def chosen(self, tie: float) -> np.ndarray:
        return np.where(self.right > self.wrong + tie, self.gold, self.index)

    def doubtful(self, rounding: float) -> np.ndarray:
        """Return the queries whose answer might change if every score moved by half of `rounding`."""
        near_right = np.abs(self.right - self.wrong) <= rounding
        near_wrong = (self.right < self.wrong) & (self.wrong - self.second <= rounding)
        return np.flatnonzero(near_right | near_wrong)


Peaks = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""The scores of right candidates, each query's highest among the others, its place, and the one below it."""


def _peaks(scores: np.ndarray, queries: np.ndarray, right: np.ndarray) -> Peaks:
    right_scores = scores[queries, right]
    scores[queries, right] = -np.inf
    rows = np.arange(len(scores))
    at = scores.argmax(axis=1)
    best = scores[rows, at].astype(np.float64)
    scores[rows, at] = -np.inf
    return right_scores, best, at, scores.max(axis=1)


def _peaks_on_device(scores: torch.Tensor, queries: np.ndarray, right: np.ndarray) -> Peaks:
    rows, columns = (torch.from_numpy(indices).to(scores.device) for indices in (queries, right))
    right_scores = scores[rows, columns]
    scores[rows, columns] = -torch.inf
    best, at = scores.max(dim=1)
    scores.scatter_(1, at[:, None], -torch.inf)
    runner_up = scores.amax(dim=1)
    return right_scores.cpu().numpy(), best.double().cpu().numpy(), at.cpu().numpy(), runner_up.cpu().numpy()


def accelerator() -> torch.device | None:
    """Return the device for similarities, None being numpy on the CPU.

    A GPU that is set to round products to TF32 is left alone: float64 would have to decide too much.
    """
    exact = torch.get_float32_matmul_precision() == "highest"
    return torch.device("cuda") if exact and torch.cuda.is_available() else None


def _products(first: Directions, second: Directions) -> Products:
    """Return the cosine similarities of two sets of directions by tile, in float32."""
    device = accelerator()
    if device is None:
        return lambda rows, columns: first.single[rows] @ second.single[columns].T
    left, right = (torch.from_numpy(side.single).to(device) for side in (first, second))
    return lambda rows, columns: left[rows] @ right[columns].T


def nearest(
    queries: Directions, candidates: Directions, gold: np.ndarray, tick: Callable[[], object] = lambda: None
) -> Answers:
    """Find each query's nearest candidate by cosine similarity.

    Args:
        queries: Directions of the queries.
        candidates: Directions of the candidates.
        gold: The right candidate of each query: int64 [queries].
        tick: Called after each tile.
    """
    best, products = _Best.of(gold), _products(queries, candidates)
    for rows, columns in tiles(len(queries), len(candidates)):
        best.see(products(rows, columns), rows, columns)
        tick()
    return _decided(best, queries, candidates)


def nearest_both_ways(
    first: Directions, second: Directions, tick: Callable[[], object] = lambda: None
) -> tuple[Answers, Answers]:
    """Find the nearest of `second` for each of `first`, and the reverse, from the same products: pair i is row i."""
    there, back = _both_ways(_products(first, second), len(first), tick)
    return _decided(there, first, second), _decided(back, second, first)


def highest(scores: Scores, gold: np.ndarray, pool: int, tick: Callable[[], object] = lambda: None) -> Answers:
    """Find each query's candidate of the highest score, whatever the score."""
    best = _Best.of(gold)
    for rows, columns in tiles(len(gold), pool):
        best.see(scores(rows, columns), rows, columns)
        tick()
    return Answers(best.chosen(TIE), gold, pool)


def highest_both_ways(scores: Scores, pairs: int, tick: Callable[[], object] = lambda: None) -> tuple[Answers, Answers]:
    """Find the highest score of each row, and of each column, of a square of scores whose diagonal is right."""
    there, back = _both_ways(scores, pairs, tick)
    return Answers(there.chosen(TIE), there.gold, pairs), Answers(back.chosen(TIE), back.gold, pairs)


def tiles(queries: int, candidates: int) -> Iterator[tuple[slice, slice]]:
    """Yield the tiles of a matrix [queries, candidates], at most `TILE` a side."""
    for row in range(0, queries, TILE):
        for column in range(0, candidates, TILE):
            yield slice(row, min(row + TILE, queries)), slice(column, min(column + TILE, candidates))


def _both_ways(scores: Products, pairs: int, tick: Callable[[], object]) -> tuple[_Best, _Best]:
    there, back = _Best.of(np.arange(pairs)), _Best.of(np.arange(pairs))
    for rows, columns in tiles(pairs, pairs):
        tile = scores(rows, columns)
        back.see(tile.T.clone() if isinstance(tile, torch.Tensor) else tile.T.copy(), columns, rows)
        there.see(tile, rows, columns)
        tick()
    return there, back


def _decided(best: _Best, queries: Directions, candidates: Directions) -> Answers:
    """Return the answers, those that float32 leaves in doubt computed again in float64."""
    chosen = best.chosen(0.0)
    doubtful = best.doubtful(2 * _rounding(queries.single.shape[1]))
    height = max(1, TILE**2 // len(candidates))
    for start in range(0, len(doubtful), height):
        rows = doubtful[start : start + height]
        chosen[rows] = _exactly(queries.take(rows), candidates, best.gold[rows])
    return Answers(chosen, best.gold, len(candidates))


def _exactly(queries: Directions, candidates: Directions, gold: np.ndarray) -> np.ndarray:
    """Return what each query chooses by float64, from the candidates that float32 does not rule out."""
    rows = np.arange(len(queries))
    rough = queries.single @ candidates.single.T
    possible = rough >= rough.max(axis=1, keepdims=True) - 3 * _rounding(queries.single.shape[1])
    possible[rows, gold] = True
    columns = np.flatnonzero(possible.any(axis=0))
    similarities = np.empty((len(queries), len(columns)))
    for start in range(0, len(columns), TILE):
        part = slice(start, start + TILE)
        similarities[:, part] = queries.double() @ candidates.double(columns[part]).T
    right_columns = np.searchsorted(columns, gold)
    right = similarities[rows, right_columns]
    similarities[rows, right_columns] = -np.inf
    wrong = similarities.max(axis=1)
    first_wrong = columns[(similarities >= (wrong - TIE)[:, None]).argmax(axis=1)]
    return np.where(right > wrong + TIE, gold, first_wrong)


def _rounding(dimensions: int) -> float:
    """Return how far a float32 product of unit vectors may lie from the true one.

    The rounding error of an inner product of n numbers is below `lambda * sqrt(n)` units in the last place, except with
    a probability that falls as exp(-lambda^2 / 2) (Higham and Mary 2019); two more for the rounding of the vectors.
    """
    return (ROUNDING_DEVIATIONS * np.sqrt(dimensions) + 2) * np.finfo(np.float32).eps / 2
