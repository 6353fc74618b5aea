"""Whitening: make every direction vary alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from interlingua.alignment.covariance import SHRINKAGE, Shrinkage, inverse_root
from interlingua.alignment.linear import LinearAlignment, means_of, stacked, unit_length


def whitening(
    probe: Mapping[str, np.ndarray], *, shrinkage: Shrinkage = SHRINKAGE, per_language: bool = True
) -> LinearAlignment:
    """Map by the inverse square root of the covariance of all centred embeddings at unit length.

    Source: Su et al. 2021, "Whitening Sentence Representations for Better Semantics and Faster Retrieval".

    Args:
        probe: For each language its embeddings, row i the same sentence: float [sentences, dimensions].
        shrinkage: See `covariance.inverse_root`.
        per_language: Each language's own mean is subtracted, or the grand mean, which needs no language at run time.
    """
    arrays = stacked(probe)
    means = means_of(arrays, per_language=per_language)
    centred = unit_length(arrays - means[:, None])
    return LinearAlignment(tuple(probe), means, inverse_root(centred.reshape(-1, arrays.shape[2]), shrinkage)[None])
