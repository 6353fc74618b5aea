"""Adapting a fitted map to text without labels: centring on it, and self-training on pairs that are found in it.

The text need not be parallel. Its sentences find their translations by what the map gives already: those that are each
other's nearest and stand out are taken for pairs, on which the map's covariances are estimated anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from interlingua.alignment.covariance import SHRINKAGE, inverse_root_of
from interlingua.alignment.linear import LinearAlignment, unit_length
from interlingua.alignment.weighted_wccn import weighted
from interlingua.languages import parse_language

THRESHOLD = 0.0
"""How far a mined pair stands out from its neighbours, in cosine. More takes easy pairs alone, in which translations
differ less than others do, so that their covariance within is too small."""
NEIGHBORHOOD = 4
"""How many neighbours' mean similarity a pair's is compared with, as in the margin of Artetxe and Schwenk 2019."""
PRIOR = 7.5
"""With how many pairs a dimension those mined weigh as much as the probe: fewer say less of a covariance."""
ROUNDS = 2
FEWEST = 50
"""With fewer mined pairs the map stays as it is: they would not say how translations differ."""


@dataclass(frozen=True)
class Spread:
    """How vectors of unit length vary in the probe, behind its map.

    Attributes:
        within: The covariance within sentences, around their mean over languages: float [dimensions, dimensions].
        between: The covariance of these means: float [dimensions, dimensions].
    """

    within: np.ndarray
    between: np.ndarray


def spread_of(mapped: np.ndarray) -> Spread:
    """Return how what a map gives varies.

    Args:
        mapped: float [languages, sentences, dimensions], row i the same sentence.
    """
    vectors = unit_length(mapped)
    means = vectors.mean(axis=0)
    within = _covariance((vectors - means).reshape(-1, vectors.shape[2]))
    return Spread(within.astype(np.float32), _covariance(means - means.mean(axis=0)).astype(np.float32))


def centre_on(alignment: LinearAlignment, texts: Mapping[str, np.ndarray]) -> LinearAlignment:
    """Return an alignment that subtracts the mean of the text at hand in its languages.

    Args:
        alignment: The alignment; it must have one matrix for all languages.
        texts: For each language embeddings of any sentences: float [sentences, dimensions].
    """
    means = dict(zip(alignment.languages, alignment.means, strict=True))
    means |= {parse_language(code): space.mean(axis=0, dtype=np.float64) for code, space in texts.items()}
    return LinearAlignment(tuple(means), np.stack(list(means.values())), alignment.matrices)


def self_train(
    alignment: LinearAlignment, spread: Spread, texts: Mapping[str, np.ndarray], *, threshold: float = THRESHOLD
) -> tuple[LinearAlignment, int]:
    """Return an alignment whose map is refitted on pairs found in text, and how many were found.

    Args:
        alignment: One that is centred on the text.
        spread: That of the probe behind the map.
        texts: For each language embeddings of any sentences: float [sentences, dimensions].
        threshold: How far a pair must stand out; see `mutual_neighbours`.
    """
    mapped = {code: unit_length(alignment.apply(space, code)).astype(np.float32) for code, space in texts.items()}
    map_ = np.eye(alignment.matrices.shape[1])
    found = 0
    for _ in range(ROUNDS):
        by_now = {code: unit_length(space @ map_.T.astype(np.float32)) for code, space in mapped.items()}
        mined, pairs = spread_of_pairs(by_now, mapped, threshold)
        if pairs < FEWEST:
            break
        found = pairs
        share = pairs / (pairs + PRIOR * len(map_))
        scale = np.trace(spread.within) / np.trace(mined.within)
        within = (1 - share) * spread.within + share * scale * mined.within
        between = (1 - share) * spread.between + share * scale * mined.between
        map_ = weighted(inverse_root_of(within, SHRINKAGE), between)
    return LinearAlignment(alignment.languages, alignment.means, map_ @ alignment.matrices), found


def spread_of_pairs(
    nearest_by: Mapping[str, np.ndarray], vectors: Mapping[str, np.ndarray], threshold: float
) -> tuple[Spread, int]:
    """Return how pairs vary that are found between every two languages, and how many there are.

    Args:
        nearest_by: For each language vectors of unit length, by which pairs are found.
        vectors: For each language the vectors of unit length whose covariances are returned.
        threshold: See `mutual_neighbours`.
    """
    size = next(iter(vectors.values())).shape[1]
    within, between, total, pairs = np.zeros((size, size)), np.zeros((size, size)), np.zeros(size), 0
    for a, b in combinations(nearest_by, 2):
        rows, columns = mutual_neighbours(nearest_by[a], nearest_by[b], threshold).T
        first, second = vectors[a][rows], vectors[b][columns]
        half, mean = (first - second) / 2, (first + second) / 2
        within += half.T @ half
        between += mean.T @ mean
        total += mean.sum(axis=0)
        pairs += len(rows)
    centre = total / max(pairs, 1)
    return Spread(within / max(pairs, 1), between / max(pairs, 1) - np.outer(centre, centre)), pairs


def mutual_neighbours(first: np.ndarray, second: np.ndarray, threshold: float) -> np.ndarray:
    """Return the pairs that are each other's nearest and stand out.

    Args:
        first: Vectors of unit length: float [sentences, dimensions].
        second: The same of another language.
        threshold: How much higher a pair's cosine must be than the mean of both sentences' mean cosines to their
            nearest neighbours in the other language (half of CSLS, with 4 neighbours).

    Returns:
        Rows of the two: int [pairs, 2].
    """
    cosines = first @ second.T
    k = min(NEIGHBORHOOD, *cosines.shape)
    of_first = np.partition(cosines, -k, axis=1)[:, -k:].mean(axis=1)
    of_second = np.partition(cosines, -k, axis=0)[-k:].mean(axis=0)
    above = cosines - (of_first[:, None] + of_second) / 2
    there, back = above.argmax(axis=1), above.argmax(axis=0)
    rows = np.flatnonzero(back[there] == np.arange(len(first)))
    rows = rows[above[rows, there[rows]] > threshold]
    return np.stack([rows, there[rows]], axis=1)


def _covariance(deviations: np.ndarray) -> np.ndarray:
    return deviations.T @ deviations / len(deviations)
