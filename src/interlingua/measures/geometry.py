"""Distances between the representations of languages (paper, section 4 and table 1)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from interlingua.errors import ActivationError, InputError
from interlingua.measures.cosine import Directions, aligned_directions

COLUMNS = ["measure", "language", "other", "value"]

SENTENCES_AT_ONCE = 64
"""Sentences whose embeddings in all languages are held in float64 at a time."""


def geometry(spaces: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Measure how far the languages of a space lie from each other and from its medoid.

    Args:
        spaces: For each language its embeddings; row i is the same sentence in each: float [sentences, dimensions].

    Returns:
        A tidy table with the columns measure, language, other, value. The measures:

        - `distance`: cosine distance of a sentence's two embeddings, averaged over sentences; each unordered pair of
          languages once. This is the paper's "distance (all languages)", and with a steering target as one of the two
          its "distance to target".
        - `distance_of_means`: cosine distance of two languages' mean embeddings; the second reading of the same words.
        - `distance_of_all_pairs`: cosine distance of every sentence of one language to every sentence of the other,
          averaged; a third reading.
        - `distance_to_medoid`: cosine distance of a language's mean to the medoid of the space, the mean with the
          least summed distance to the others; `other` names the medoid.

    Raises:
        InputError: Fewer than two languages or sentences, or languages of unequal numbers of sentences.
        ActivationError: An embedding, or a language's mean, has no direction.

    Example:
        >>> geometry({"eng_Latn": np.array([[1.0, 0.0]] * 2), "spa_Latn": np.array([[0.0, 1.0]] * 2)}).query(
        ...     "measure == 'distance'")
            measure  language     other  value
        0  distance  eng_Latn  spa_Latn    1.0
    """
    if len(spaces) < 2:
        raise InputError("distances between languages need at least two languages")
    directions = aligned_directions(spaces)
    of_sentences = _mean_cosines(directions)
    means = unit_means(spaces)
    of_means = means @ means.T
    # The mean of all products of two sets of vectors is the product of their means.
    unit_vectors = np.stack([space.double().mean(axis=0) for space in directions.values()])
    of_all_pairs = unit_vectors @ unit_vectors.T
    codes = list(spaces)
    rows: list[tuple[str, str, str, float]] = []
    for i, j in combinations(range(len(codes)), 2):
        rows.append(("distance", codes[i], codes[j], distance(of_sentences[i, j])))
        rows.append(("distance_of_means", codes[i], codes[j], distance(of_means[i, j])))
        rows.append(("distance_of_all_pairs", codes[i], codes[j], distance(of_all_pairs[i, j])))
    medoid = int((1 - of_means).sum(axis=1).argmin())
    rows.extend(
        ("distance_to_medoid", code, codes[medoid], distance(of_means[i, medoid])) for i, code in enumerate(codes)
    )
    return pd.DataFrame(rows, columns=COLUMNS)


def distance(cosine: float) -> float:
    """Return the distance of a cosine similarity: never below 0."""
    return max(0.0, 1 - float(cosine))  # rounding takes the cosine of a mean with itself past 1


def _mean_cosines(languages: Mapping[str, Directions]) -> np.ndarray:
    """Return the cosine of a sentence's two embeddings, averaged over sentences: float64 [languages, languages]."""
    n = len(next(iter(languages.values())))
    total = np.zeros((len(languages), len(languages)))
    for start in range(0, n, SENTENCES_AT_ONCE):
        rows = slice(start, start + SENTENCES_AT_ONCE)
        # Laid out one after the other, the unit embeddings of several sentences multiply to the sum of their cosines.
        flat = np.stack([space.double(rows).ravel() for space in languages.values()])
        total += flat @ flat.T
    return total / n


def unit_means(spaces: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the mean embedding of each language at unit length: float64 [languages, dimensions]."""
    means = np.stack([np.asarray(space).mean(axis=0, dtype=np.float64) for space in spaces.values()])
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    bad = np.flatnonzero(lengths == 0)
    if len(bad):
        raise ActivationError(f"the mean embedding of {list(spaces)[bad[0]]} is zero, and so has no direction")
    return means / lengths
