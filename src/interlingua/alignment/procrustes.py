"""Orthogonal Procrustes: turn each language's space onto a pivot's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import linalg

from interlingua.alignment.linear import LinearAlignment, means_of, stacked, unit_length
from interlingua.errors import LanguageError
from interlingua.languages import parse_language


def procrustes(probe: Mapping[str, np.ndarray], *, pivot: str | None = None) -> LinearAlignment:
    """Map each language by the rotation that brings its centred embeddings at unit length nearest to the pivot's.

    Each language has its own matrix, so that its name is needed at run time.

    Source: Schönemann 1966; for embeddings Xing et al. 2015 and Smith et al. 2017.

    Args:
        probe: For each language its embeddings, row i the same sentence: float [sentences, dimensions].
        pivot: The language that stays as it is; by default the first.

    Raises:
        LanguageError: The pivot is not in the probe.
    """
    arrays, codes = stacked(probe), tuple(probe)
    code = codes[0] if pivot is None else parse_language(pivot)
    if code not in codes:
        raise LanguageError(f"the pivot {code} is not in the probe; use one of {', '.join(codes)}")
    means = means_of(arrays, per_language=True)
    centred = unit_length(arrays - means[:, None])
    target = centred[codes.index(code)]
    rotations = [_rotation(space, target).T for space in centred]
    return LinearAlignment(codes, means, np.stack(rotations))


def _rotation(space: np.ndarray, target: np.ndarray) -> np.ndarray:
    try:
        return linalg.orthogonal_procrustes(space, target)[0]
    except linalg.LinAlgError:  # LAPACK's faster driver may not converge with fewer sentences than dimensions
        left, _, right = linalg.svd(space.T @ target, lapack_driver="gesvd")
        return left @ right
