"""Weighted WCCN: make small the directions in which translations differ, and those that tell no sentence apart."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import linalg

from interlingua.alignment.covariance import SHRINKAGE, Shrinkage, inverse_root
from interlingua.alignment.linear import LinearAlignment, means_of, stacked, unit_length

ALPHA, BETA = 0.5, 0.25
"""Chosen on gemma-3-270m by cross-validation inside FLORES dev."""
SHRUNK, SHRUNK_BY = 0.5, 60
"""Eigenvalues go to their mean by half of the way, or by 60 over the number of sentences where that is less: chosen
inside FLORES dev with 80, 200 and 600 sentences, of which 0.5, 0.3 and 0.1 were best or as good."""


def weighted_wccn(
    probe: Mapping[str, np.ndarray],
    *,
    shrinkage: Shrinkage = SHRINKAGE,
    per_language: bool = True,
    alpha: float = ALPHA,
    beta: float = BETA,
) -> LinearAlignment:
    """Whiten within sentences as WCCN does, and weight each direction by how much sentences differ along it.

    Behind WCCN's map, the covariance of the sentences' means over languages has eigenvalues `b`, which are shrunk to
    their mean, the less the more sentences there are. In units of the variance within sentences, `b` says how well a
    direction tells sentences apart. Each direction is weighted by `(b / (1 + b))^alpha * (1 + b)^-beta`: the first
    factor makes noise small, the second keeps the few directions of the largest `b` from deciding alone. With
    `alpha = beta = 0` cosines are those of WCCN.

    Args:
        probe: For each language its embeddings, row i the same sentence: float [sentences, dimensions].
        shrinkage: Of the covariance within sentences; see `covariance.inverse_root`.
        per_language: Each language's own mean is subtracted, or the grand mean.
        alpha: Of the first factor.
        beta: Of the second.
    """
    arrays = stacked(probe)
    means = means_of(arrays, per_language=per_language)
    centred = unit_length(arrays - means[:, None])
    of_sentences = centred.mean(axis=0)
    whiten = inverse_root((centred - of_sentences).reshape(-1, arrays.shape[2]), shrinkage)
    between = np.cov(of_sentences, rowvar=False, bias=True)
    shrunk = min(SHRUNK, SHRUNK_BY / len(of_sentences))
    return LinearAlignment(tuple(probe), means, weighted(whiten, between, alpha, beta, shrunk)[None])


def weighted(
    whiten: np.ndarray, between: np.ndarray, alpha: float = ALPHA, beta: float = BETA, shrunk: float = SHRUNK
) -> np.ndarray:
    """Return the map of weighted WCCN: float64 [dimensions, dimensions].

    Args:
        whiten: WCCN's map, symmetric: float64 [dimensions, dimensions].
        between: The covariance of the sentences' means, before that map: float64 [dimensions, dimensions].
        alpha: See `weighted_wccn`.
        beta: See `weighted_wccn`.
        shrunk: How far eigenvalues go to their mean.
    """
    values, vectors = linalg.eigh(whiten @ between @ whiten)
    values = np.maximum(values, 0)
    values = (1 - shrunk) * values + shrunk * values.mean()
    weights = (values / (1 + values)) ** alpha * (1 + values) ** -beta
    return weights[:, None] * vectors.T @ whiten
