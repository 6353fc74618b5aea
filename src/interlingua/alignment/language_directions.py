"""Removal of the directions in which languages' means differ."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import linalg

from interlingua.alignment.linear import LinearAlignment, means_of, stacked
from interlingua.errors import InputError


def language_directions(probe: Mapping[str, np.ndarray], *, directions: int | None = None) -> LinearAlignment:
    """Project out the leading directions of the languages' means, around their grand mean.

    Needs no language at run time. Removing all of them makes the means of the probe equal, as centring does.

    Source: Yang et al. 2021, "A Simple and Effective Method To Eliminate the Self Language Bias in Multilingual
    Representations" (LIR), removes the leading directions of each language's own embeddings; Xie et al. 2022,
    "Discovering Low-rank Subspaces for Language-agnostic Multilingual Representations" (LSAR), those of the means, as
    here, in a slightly different decomposition.

    Args:
        probe: For each language its embeddings, row i the same sentence: float [sentences, dimensions].
        directions: How many; by default all, one less than languages.

    Raises:
        InputError: There are not so many directions.
    """
    arrays = stacked(probe)
    most = min(len(arrays) - 1, arrays.shape[2])
    count = most if directions is None else directions
    if not 1 <= count <= most:
        raise InputError(f"the means of {len(arrays)} languages have 1 to {most} directions, not {count}")
    grand = means_of(arrays, per_language=False)
    _, _, leading = linalg.svd(arrays.mean(axis=1) - grand, full_matrices=False)
    removed = leading[:count]
    return LinearAlignment(tuple(probe), grand, (np.eye(arrays.shape[2]) - removed.T @ removed)[None])
