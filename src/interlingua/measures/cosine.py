"""Unit vectors, on which cosine similarity is a product."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from interlingua.errors import ActivationError, InputError


def unit_spaces(spaces: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the embeddings of each language at unit length, in float64.

    Args:
        spaces: For each language its embeddings, row i the same sentence in each: float [sentences, dimensions].

    Raises:
        InputError: Fewer than two sentences, or languages of unequal numbers of sentences.
        ActivationError: An embedding is zero, NaN or infinite, and so has no direction.
    """
    if len({len(space) for space in spaces.values()}) > 1:
        raise InputError("every language needs the same number of sentences: row i is the same sentence in each")
    if any(len(space) < 2 for space in spaces.values()):
        raise InputError("at least two sentences a language are needed to measure anything")
    result = {}
    for code, space in spaces.items():
        vectors = np.asarray(space, dtype=np.float64)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        bad = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
        if len(bad):
            raise ActivationError(f"the embedding of sentence {bad[0] + 1} in {code} is zero, NaN or infinite")
        result[code] = vectors / lengths
    return result
