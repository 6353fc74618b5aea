"""Unit vectors, on which cosine similarity is a product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from interlingua.errors import ActivationError, InputError


@dataclass(frozen=True)
class Directions:
    """The directions of embeddings, in float32 to search with and in float64 to decide with.

    Attributes:
        given: The embeddings: float [sentences, dimensions].
        lengths: Their lengths: float64 [sentences, 1].
        single: The embeddings at unit length: float32 [sentences, dimensions].
    """

    given: np.ndarray
    lengths: np.ndarray
    single: np.ndarray

    def __len__(self) -> int:
        return len(self.given)

    def double(self, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """Return embeddings at unit length in float64, made anew: a whole space of them is seldom needed at once."""
        return self.given[rows].astype(np.float64) / self.lengths[rows]

    def take(self, rows: np.ndarray) -> Directions:
        """Return the directions of some sentences."""
        return Directions(self.given[rows], self.lengths[rows], self.single[rows])


def directions(embeddings: np.ndarray, name: str) -> Directions:
    """Return the directions of embeddings.

    Args:
        embeddings: float [sentences, dimensions].
        name: What errors call them: usually a language.

    Raises:
        InputError: They are not a table of numbers, or fewer than two sentences.
        ActivationError: An embedding is zero, NaN or infinite, and so has no direction.
    """
    given = np.asarray(embeddings)
    if given.ndim != 2 or not np.issubdtype(given.dtype, np.number):
        raise InputError(f"the embeddings of {name} must be numbers [sentences, dimensions]")
    if len(given) < 2:
        raise InputError("at least two sentences a language are needed to measure anything")
    lengths = np.sqrt(np.einsum("nd,nd->n", given, given, dtype=np.float64))[:, None]
    bad = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
    if len(bad):
        raise ActivationError(f"the embedding of sentence {bad[0] + 1} in {name} is zero, NaN or infinite")
    return Directions(given, lengths, (given / lengths).astype(np.float32))


def aligned_directions(spaces: Mapping[str, np.ndarray]) -> dict[str, Directions]:
    """Return the directions of each language's embeddings, row i the same sentence in each.

    Raises:
        InputError: Fewer than two sentences, or languages of unequal numbers of sentences or dimensions.
        ActivationError: An embedding has no direction.
    """
    if len({len(space) for space in spaces.values()}) > 1:
        raise InputError("every language needs the same number of sentences: row i is the same sentence in each")
    result = {code: directions(space, code) for code, space in spaces.items()}
    if len({space.given.shape[1] for space in result.values()}) > 1:
        raise InputError("every language needs embeddings of the same number of dimensions")
    return result
