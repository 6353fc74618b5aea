"""Centring: take from each embedding the mean of its language."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from interlingua.alignment.linear import LinearAlignment, means_of, stacked


def centring(probe: Mapping[str, np.ndarray], *, per_language: bool = True) -> LinearAlignment:
    """Subtract the language's mean.

    Source: Libovický, Rosa and Fraser 2020, "On the Language Neutrality of Pre-trained Multilingual Representations".

    Args:
        probe: For each language its embeddings, row i the same sentence: float [sentences, dimensions].
        per_language: Each language's own mean, or the grand mean, which needs no language at run time.
    """
    arrays = stacked(probe)
    return LinearAlignment(tuple(probe), means_of(arrays, per_language=per_language), np.eye(arrays.shape[2])[None])
