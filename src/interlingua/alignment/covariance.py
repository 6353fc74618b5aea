"""Covariances that can be inverted: shrunk towards a multiple of the identity."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from scipy import linalg

from interlingua.errors import InputError, MissingExtraError

Shrinkage: TypeAlias = float | Literal["ledoit-wolf"]
SHRINKAGE = 0.01
"""Of WCCN where nothing else is asked for."""


def inverse_root(deviations: np.ndarray, shrinkage: Shrinkage) -> np.ndarray:
    """Return `S^(-1/2)`, symmetric, of the shrunk covariance `S` of deviations from a mean.

    Args:
        deviations: Of vectors of unit length: float64 [samples, dimensions]; their covariance is
            `deviations.T @ deviations / samples`.
        shrinkage: A ridge in units of the mean eigenvalue, `S = C + shrinkage * tr(C) / d * I`; or `ledoit-wolf`
            (Ledoit and Wolf 2004), which chooses `S = (1 - a) C + a * tr(C) / d * I` from the samples.

    Raises:
        InputError: The shrinkage is not above zero, or nothing varies.
        MissingExtraError: `ledoit-wolf` without the extra `embed`, which brings scikit-learn.
    """
    if shrinkage == "ledoit-wolf":
        return inverse_root_of(_ledoit_wolf(deviations))
    if not isinstance(shrinkage, int | float) or not shrinkage > 0:
        raise InputError(f"shrinkage must be a number above 0, or ledoit-wolf; not {shrinkage!r}")
    return inverse_root_of(deviations.T @ deviations / len(deviations), shrinkage)


def inverse_root_of(covariance: np.ndarray, ridge: float = 0.0) -> np.ndarray:
    """Return `(C + ridge * tr(C) / d * I)^(-1/2)` of a covariance C, symmetric: float64 [dimensions, dimensions].

    Raises:
        InputError: Nothing varies.
    """
    covariance = covariance + ridge * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    rounding = np.finfo(np.float64).eps  # of the squares of vectors of unit length
    if not np.trace(covariance) > rounding:
        raise InputError("the probe's translations do not differ at all, so that there is no covariance to invert")
    values, vectors = linalg.eigh(covariance, check_finite=True)
    floor = np.finfo(np.float64).eps * len(values) * values[-1]
    return (vectors / np.sqrt(np.maximum(values, floor))) @ vectors.T


def _ledoit_wolf(deviations: np.ndarray) -> np.ndarray:
    try:
        from sklearn.covariance import ledoit_wolf
    except ImportError:
        raise MissingExtraError("Ledoit-Wolf shrinkage", "embed") from None
    return ledoit_wolf(deviations, assume_centered=True)[0]
