"""Maps of several blocks as one, and fewer dimensions for what they map to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import linalg

from interlingua.alignment.linear import LinearAlignment, unit_length
from interlingua.errors import InputError


def of_mean_length_one(alignment: LinearAlignment, mapped: Mapping[str, np.ndarray]) -> LinearAlignment:
    """Return an alignment scaled so that what it mapped has length 1 on average: float [sentences, outputs] each."""
    length = np.mean([np.linalg.norm(space, axis=1).mean() for space in mapped.values()])
    return LinearAlignment(alignment.languages, alignment.means, alignment.matrices / (length or 1.0))


def side_by_side(maps: Sequence[LinearAlignment]) -> LinearAlignment:
    """Return one map that reads the blocks' embeddings concatenated, and gives what they are mapped to concatenated.

    What blocks are mapped to is not brought to unit length, one by one, before it is joined: so the whole stays linear,
    and tools that know one matrix alone can hold it. On held-out sentences that makes no difference.

    Args:
        maps: One a block, all fitted on the same languages and of the same length on average.
    """
    matrices = [linalg.block_diag(*of_blocks) for of_blocks in zip(*(map_.matrices for map_ in maps), strict=True)]
    return LinearAlignment(maps[0].languages, np.concatenate([map_.means for map_ in maps], axis=1), np.stack(matrices))


def reduced(alignment: LinearAlignment, mapped: Mapping[str, np.ndarray], dimensions: int) -> LinearAlignment:
    """Return an alignment of fewer dimensions: those in which what it mapped lies most, by PCA at unit length.

    Args:
        alignment: The alignment.
        mapped: What it mapped: float [sentences, outputs] each.
        dimensions: How many are kept.

    Raises:
        InputError: There are not so many.
    """
    outputs = alignment.matrices.shape[1]
    if not 1 <= dimensions <= outputs:
        raise InputError(f"the map has {outputs} dimensions, of which 1 to {outputs} can be kept; not {dimensions}")
    vectors = unit_length(np.concatenate(list(mapped.values())))
    _, leading = linalg.eigh(vectors.T @ vectors, subset_by_index=(outputs - dimensions, outputs - 1))
    return LinearAlignment(alignment.languages, alignment.means, leading.T @ alignment.matrices)
