"""Within-class covariance normalisation: make small the directions in which translations differ."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from interlingua.alignment.covariance import SHRINKAGE, Shrinkage, inverse_root
from interlingua.alignment.linear import LinearAlignment, means_of, stacked, unit_length


def wccn(
    probe: Mapping[str, np.ndarray], *, shrinkage: Shrinkage = SHRINKAGE, per_language: bool = True
) -> LinearAlignment:
    """Map by the inverse square root of the covariance within sentences.

    A class is a sentence, its members the translations. `W` is the covariance of centred embeddings at unit length
    around their sentence's mean over languages, and the map `(W + shrinkage * mean eigenvalue * I)^(-1/2)`. With the
    grand mean in place of each language's, what tells languages apart is itself variation within a class, so that the
    map suppresses it and no language is needed at run time.

    Source: Hatch, Kajarekar and Stolcke 2006, "Within-Class Covariance Normalization for SVM-based Speaker
    Recognition".

    Args:
        probe: For each language its embeddings, row i the same sentence: float [sentences, dimensions].
        shrinkage: See `covariance.inverse_root`.
        per_language: Each language's own mean is subtracted, or the grand mean.
    """
    arrays = stacked(probe)
    means = means_of(arrays, per_language=per_language)
    centred = unit_length(arrays - means[:, None])
    within = (centred - centred.mean(axis=0)).reshape(-1, arrays.shape[2])
    return LinearAlignment(tuple(probe), means, inverse_root(within, shrinkage)[None])
