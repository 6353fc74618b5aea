"""The methods by name, and a recipe: one of them with its options and the layers that it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from interlingua.alignment.blocks import Block, Sif, layer_of
from interlingua.alignment.centring import centring
from interlingua.alignment.covariance import SHRINKAGE, Shrinkage
from interlingua.alignment.identity import identity
from interlingua.alignment.joining import of_mean_length_one, reduced, side_by_side
from interlingua.alignment.language_directions import language_directions
from interlingua.alignment.linear import LinearAlignment
from interlingua.alignment.procrustes import procrustes
from interlingua.alignment.wccn import wccn
from interlingua.alignment.weighted_wccn import weighted_wccn
from interlingua.alignment.whitening import whitening
from interlingua.errors import InputError

METHODS = {
    "identity": identity,
    "centring": centring,
    "language-directions": language_directions,
    "whitening": whitening,
    "wccn": wccn,
    "weighted-wccn": weighted_wccn,
    "procrustes": procrustes,
}
NEED_LANGUAGE = ("procrustes",)
"""Methods without a form that needs no language at run time."""
CHOOSE_MEAN = ("centring", "whitening", "wccn", "weighted-wccn")
"""Methods that subtract each language's mean or the grand mean, as asked."""
SHRUNK = ("whitening", "wccn", "weighted-wccn")
"""Methods that invert a covariance."""

Layers = Mapping[Block, Mapping[str, np.ndarray]]
"""For each layer and pooling, for each language, embeddings: float [sentences, dimensions]."""


@dataclass(frozen=True)
class Recipe:
    """What is fitted.

    Attributes:
        method: One of `METHODS`.
        layers: The hidden states read, each a block. Each block has its own map, and what blocks are mapped to is
            concatenated, each divided by its mean length in the probe.
        per_language: Whether each language's own mean is subtracted; otherwise no language is needed at run time.
        shrinkage: Of the covariance, in whitening and both WCCNs.
        sif: Hidden states that are also read with rare tokens weighing more, each a block more.
        dimensions: To how many dimensions the concatenation is reduced, by PCA; by default it is not.
    """

    method: str
    layers: tuple[int, ...]
    per_language: bool = False
    shrinkage: Shrinkage = SHRINKAGE
    sif: tuple[int, ...] = ()
    dimensions: int | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"unknown method '{self.method}'; use {', '.join(METHODS)}")
        if not self.layers or len(set(self.blocks)) < len(self.blocks):
            raise InputError("a recipe names at least one layer, and none twice")
        if self.method in NEED_LANGUAGE and not self.per_language:
            raise InputError(f"{self.method} needs each language's name: set per_language")

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What is read, in the order in which it is concatenated."""
        return (*self.layers, *map(Sif, self.sif))

    @property
    def depth(self) -> int:
        """The highest hidden state, which says how much of the model runs."""
        return max(map(layer_of, self.blocks))

    def fit(self, probe: Layers) -> LinearAlignment:
        """Fit the method to the embeddings of a probe; the result reads embeddings as `concatenated` returns them."""
        return self.join(probe, [self.fit_block(probe[block]) for block in self.blocks])

    def fit_block(self, spaces: Mapping[str, np.ndarray]) -> LinearAlignment:
        """Fit the method to the embeddings of one block, which it maps to vectors of length 1 on average."""
        options: dict = {"per_language": self.per_language} if self.method in CHOOSE_MEAN else {}
        if self.method in SHRUNK:
            options["shrinkage"] = self.shrinkage
        fitted = METHODS[self.method](spaces, **options)
        return of_mean_length_one(fitted, fitted.apply_to_spaces(spaces, with_language=self.per_language))

    def join(self, probe: Layers, maps: Sequence[LinearAlignment]) -> LinearAlignment:
        """Return the maps of the blocks as one, reduced to the recipe's dimensions."""
        joined = side_by_side(maps)
        if self.dimensions is None:
            return joined
        mapped = joined.apply_to_spaces(concatenated(probe, self.blocks), with_language=self.per_language)
        return reduced(joined, mapped, self.dimensions)

    def __str__(self) -> str:
        parts = [self.method, "layer " + "+".join(map(str, self.blocks))]
        if self.method in CHOOSE_MEAN:
            parts.append("language means" if self.per_language else "grand mean")
        if self.method in SHRUNK:
            parts.append(f"shrinkage {self.shrinkage}")
        if self.dimensions is not None:
            parts.append(f"{self.dimensions} dimensions")
        return ", ".join(parts)


def concatenated(spaces: Layers, blocks: Sequence[Block]) -> dict[str, np.ndarray]:
    """Return each language's embeddings of several blocks side by side: float [sentences, summed dimensions]."""
    return {code: np.concatenate([spaces[block][code] for block in blocks], axis=1) for code in spaces[blocks[0]]}
