"""Distances between the representations of languages (paper, section 4 and table 1)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from interlingua.errors import InputError
from interlingua.measures.cosine import unit_spaces

COLUMNS = ["measure", "language", "other", "value"]


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
        - `distance_to_medoid`: cosine distance of a language's mean to the medoid of the space, the mean with the
          least summed distance to the others; `other` names the medoid.

    Raises:
        InputError: Fewer than two languages or sentences, or languages of unequal numbers of sentences.
        ActivationError: An embedding has no direction.

    Example:
        >>> geometry({"eng_Latn": np.array([[1.0, 0.0]] * 2), "spa_Latn": np.array([[0.0, 1.0]] * 2)}).query(
        ...     "measure == 'distance'")
            measure  language     other  value
        0  distance  eng_Latn  spa_Latn    1.0
    """
    if len(spaces) < 2:
        raise InputError("distances between languages need at least two languages")
    unit = unit_spaces(spaces)
    means = {code: _unit(space.mean(axis=0, dtype=np.float64)) for code, space in spaces.items()}
    rows: list[tuple[str, str, str, float]] = []
    for a, b in combinations(spaces, 2):
        rows.append(("distance", a, b, 1 - float(np.einsum("nd,nd->n", unit[a], unit[b]).mean())))
        rows.append(("distance_of_means", a, b, 1 - float(means[a] @ means[b])))
    medoid = _medoid(means)
    rows.extend(("distance_to_medoid", code, medoid, 1 - float(means[code] @ means[medoid])) for code in spaces)
    return pd.DataFrame(rows, columns=COLUMNS)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _medoid(means: Mapping[str, np.ndarray]) -> str:
    codes = list(means)
    stacked = np.stack([means[code] for code in codes])
    return codes[int((1 - stacked @ stacked.T).sum(axis=1).argmin())]
