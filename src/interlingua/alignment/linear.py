"""A frozen linear alignment: what every method fits, and the only thing that is applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from interlingua.errors import InputError, LanguageError
from interlingua.languages import parse_language


@dataclass(frozen=True)
class LinearAlignment:
    """Subtract a language's mean, multiply by a matrix.

    Attributes:
        languages: The languages that it was fitted on.
        means: What is subtracted in each language: float64 [languages, dimensions]. All rows are equal where a method
            does not ask for the language.
        matrices: One matrix for all languages, or one for each: float64 [1 or languages, outputs, dimensions].
    """

    languages: tuple[str, ...]
    means: np.ndarray
    matrices: np.ndarray

    @property
    def needs_language(self) -> bool:
        """Whether there is no form without a language: each language has its own matrix."""
        return len(self.matrices) > 1

    def weight_and_bias(self, language: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return it as `x @ weight.T + bias`.

        Args:
            language: Of the sentences. Without it the grand mean over the languages is subtracted.

        Raises:
            LanguageError: The language was not fitted, or is needed and not given.
        """
        if language is None:
            if self.needs_language:
                raise LanguageError("this alignment has a matrix for each language; give the language of the sentences")
            mean, matrix = self.means.mean(axis=0), self.matrices[0]
        else:
            code = parse_language(language)
            if code not in self.languages:
                raise LanguageError(
                    f"{code} was not in the probe; give no language, or one of {', '.join(self.languages)}"
                )
            row = self.languages.index(code)
            mean, matrix = self.means[row], self.matrices[row if self.needs_language else 0]
        return matrix, -matrix @ mean

    def apply(self, embeddings: np.ndarray, language: str | None = None) -> np.ndarray:
        """Map embeddings, float [sentences, dimensions], to float64 [sentences, outputs], not yet of unit length."""
        weight, bias = self.weight_and_bias(language)
        return embeddings.astype(np.float64) @ weight.T + bias

    def apply_to_spaces(self, spaces: Mapping[str, np.ndarray], *, with_language: bool) -> dict[str, np.ndarray]:
        """Map each language's embeddings, by its own mean or by the grand mean."""
        return {code: self.apply(space, code if with_language else None) for code, space in spaces.items()}


def stacked(probe: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return a parallel probe as one array: float64 [languages, sentences, dimensions].

    Raises:
        InputError: Fewer than two languages or two sentences, or arrays of unequal shapes.
    """
    shapes = {space.shape for space in probe.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise InputError(
            "a parallel probe needs arrays of equal shape [sentences, dimensions], row i the same sentence"
        )
    if len(probe) < 2 or next(iter(shapes))[0] < 2:
        raise InputError("an alignment is fitted on at least two languages and two sentences")
    return np.stack([np.asarray(space, dtype=np.float64) for space in probe.values()])


def means_of(probe: np.ndarray, *, per_language: bool) -> np.ndarray:
    """Return what to subtract in each language: its mean, or the grand mean in each row."""
    means = probe.mean(axis=1)
    return means if per_language else np.repeat(means.mean(axis=0, keepdims=True), len(probe), axis=0)


def unit_length(vectors: np.ndarray) -> np.ndarray:
    """Return vectors at unit length; one that is zero stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)
