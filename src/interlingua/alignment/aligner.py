"""A frozen model with a linear map behind it: sentences in, aligned vectors of unit length out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from interlingua.alignment.cut import cut
from interlingua.alignment.linear import LinearAlignment, unit_length
from interlingua.artifact import Artifact, load_artifact, pull_artifact, push_artifact, save_artifact
from interlingua.errors import ArtifactError
from interlingua.measures.embedding import embed_layers
from interlingua.models import LanguageModel, load_model


@dataclass(frozen=True)
class Aligner:
    """What `align` returns.

    Attributes:
        model: The model, without the blocks that are not needed.
        layers: The hidden states that are read, numbered from 0; several are concatenated.
        alignment: The map.
        made_from: The recipe, its held-out top-1, the model and the probe.

    Example:
        With a `model` of 32 dimensions, and a `probe` in four languages to fit the map on:

        >>> from interlingua.alignment import Recipe
        >>> recipe = Recipe("centring", (1,))
        >>> space = {1: {code: embed_layers(model, probe[code], layers=[1]).of_layer[1] for code in probe.languages}}
        >>> aligner = Aligner(model, recipe.layers, recipe.fit(space), {"recipe": str(recipe)})
        >>> aligner.layers, aligner.encode(["It rains.", "Llueve."]).shape
        ((1,), (2, 32))
    """

    model: LanguageModel = field(repr=False, compare=False)
    layers: tuple[int, ...]
    alignment: LinearAlignment = field(repr=False)
    made_from: Mapping[str, Any]

    def encode(self, sentences: Sequence[str], language: str | None = None) -> np.ndarray:
        """Return aligned embeddings, whose inner product is their cosine similarity.

        Args:
            sentences: The sentences, mean-pooled over all tokens as by `embed`.
            language: Their language; its mean is subtracted instead of the grand mean, where the two differ.

        Returns:
            float32 [sentences, dimensions], of unit length.

        Raises:
            LanguageError: The language was not in the probe.
        """
        states = embed_layers(self.model, sentences, layers=self.layers).of_layer
        side_by_side = np.concatenate([states[layer] for layer in self.layers], axis=1)
        return unit_length(self.alignment.apply(side_by_side, language)).astype(np.float32)

    def save(self, folder: str | Path) -> None:
        """Write the map to a folder: safetensors, a manifest and a card. The model's weights are not in it."""
        arrays = {"means": self.alignment.means, "matrices": self.alignment.matrices}
        description = {
            "languages": list(self.alignment.languages),
            "layers": list(self.layers),
            "made_from": dict(self.made_from),
        }
        save_artifact(Path(folder), "aligner", Artifact(arrays, description), self._card())

    @classmethod
    def load(cls, folder: str | Path, model: LanguageModel | None = None) -> Aligner:
        """Read what `save` wrote.

        Args:
            folder: The folder.
            model: The model that it was made for; by default loaded by its name.

        Raises:
            ArtifactError: The folder holds no aligner, is damaged, or was made for another model.
        """
        artifact = load_artifact(Path(folder), "aligner")
        made_from = artifact.description["made_from"]
        if model is None:
            model = load_model(made_from["model"], revision=made_from["revision"], dtype=made_from["dtype"])
        if made_from["neurons"] != model.neurons.fingerprint:
            raise ArtifactError(
                f"this aligner was made for {made_from['model']}, whose layers have other names or sizes than those of "
                f"{model.name}; give the whole model, not one that is cut"
            )
        layers = tuple(artifact.description["layers"])
        alignment = LinearAlignment(
            tuple(artifact.description["languages"]), artifact.arrays["means"], artifact.arrays["matrices"]
        )
        return cls(cut(model, max(layers)), layers, alignment, made_from)

    def push_to_hub(self, repo_id: str, *, private: bool = False, revision: str | None = None) -> str:
        """Save to a repository `owner/name` on the Hugging Face Hub, and return the address of the commit."""
        with TemporaryDirectory() as scratch:
            folder = Path(scratch) / "aligner"
            self.save(folder)
            return push_artifact(folder, repo_id, private=private, revision=revision)

    @classmethod
    def from_hub(cls, repo_id: str, revision: str | None = None, model: LanguageModel | None = None) -> Aligner:
        """Read what `push_to_hub` wrote; `revision` pins a commit, tag or branch.

        Raises:
            ArtifactError: It cannot be had, is damaged, or was made for another model.
        """
        return cls.load(pull_artifact(repo_id, revision), model)

    def _card(self) -> str:
        parameters = "".join(f"- {key}: {value}\n" for key, value in self.made_from.items())
        return (
            f"# Aligner\n\nMaps hidden states of a frozen model to aligned sentence embeddings.\n\n{parameters}\n"
            '```python\nimport interlingua as il\n\naligner = il.Aligner.load(".")\naligner.encode(["..."])\n```\n'
        )
