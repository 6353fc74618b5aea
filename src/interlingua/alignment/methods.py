"""The methods by name, and a recipe: one of them with its options and the layers that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from interlingua.alignment.centring import centring
from interlingua.alignment.covariance import SHRINKAGE, Shrinkage
from interlingua.alignment.identity import identity
from interlingua.alignment.language_directions import language_directions
from interlingua.alignment.linear import LinearAlignment
from interlingua.alignment.procrustes import procrustes
from interlingua.alignment.wccn import wccn
from interlingua.alignment.whitening import whitening
from interlingua.errors import InputError

METHODS = {
    "identity": identity,
    "centring": centring,
    "language-directions": language_directions,
    "whitening": whitening,
    "wccn": wccn,
    "procrustes": procrustes,
}
NEED_LANGUAGE = ("procrustes",)
"""Methods without a form that needs no language at run time."""
CHOOSE_MEAN = ("centring", "whitening", "wccn")
"""Methods that subtract each language's mean or the grand mean, as asked."""
SHRUNK = ("whitening", "wccn")
"""Methods that invert a covariance."""

Layers = Mapping[int, Mapping[str, np.ndarray]]
"""For each layer, for each language, embeddings: float [sentences, dimensions]."""


@dataclass(frozen=True)
class Recipe:
    """What is fitted.

    Attributes:
        method: One of `METHODS`.
        layers: The hidden states read; several are concatenated, each divided by its mean length in the probe.
        per_language: Whether each language's own mean is subtracted; otherwise no language is needed at run time.
        shrinkage: Of the covariance, in whitening and WCCN.
    """

    method: str
    layers: tuple[int, ...]
    per_language: bool = False
    shrinkage: Shrinkage = SHRINKAGE

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"unknown method '{self.method}'; use {', '.join(METHODS)}")
        if not self.layers or len(set(self.layers)) < len(self.layers):
            raise InputError("a recipe names at least one layer, and none twice")
        if self.method in NEED_LANGUAGE and not self.per_language:
            raise InputError(f"{self.method} needs each language's name: set per_language")

    def fit(self, probe: Layers) -> LinearAlignment:
        """Fit the method to the embeddings of a probe; the result reads embeddings as `concatenated` returns them."""
        scales = np.concatenate([self._scale(probe[layer]) for layer in self.layers])
        options: dict = {"per_language": self.per_language} if self.method in CHOOSE_MEAN else {}
        if self.method in SHRUNK:
            options["shrinkage"] = self.shrinkage
        spaces = {code: space / scales for code, space in concatenated(probe, self.layers).items()}
        fitted = METHODS[self.method](spaces, **options)
        return LinearAlignment(fitted.languages, fitted.means * scales, fitted.matrices / scales)

    def _scale(self, spaces: Mapping[str, np.ndarray]) -> np.ndarray:
        dimensions = next(iter(spaces.values())).shape[1]
        if len(self.layers) == 1:
            return np.ones(dimensions)
        length = np.mean([np.linalg.norm(space, axis=1).mean(dtype=np.float64) for space in spaces.values()])
        return np.full(dimensions, length)

    def __str__(self) -> str:
        parts = [self.method, "layer " + "+".join(map(str, self.layers))]
        if self.method in CHOOSE_MEAN:
            parts.append("language means" if self.per_language else "grand mean")
        if self.method in SHRUNK:
            parts.append(f"shrinkage {self.shrinkage}")
        return ", ".join(parts)


def concatenated(spaces: Layers, layers: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return each language's embeddings of several layers side by side: float [sentences, summed dimensions]."""
    return {code: np.concatenate([spaces[layer][code] for layer in layers], axis=1) for code in spaces[layers[0]]}
