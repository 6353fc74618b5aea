"""A frozen model with a linear map behind it: sentences in, aligned vectors of unit length out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, Field, NonNegativeInt

from interlingua.alignment.card_of_aligner import SENTENCE_TRANSFORMERS, card_of_aligner
from interlingua.alignment.cut import cut
from interlingua.alignment.linear import LinearAlignment, unit_length
from interlingua.artifact import Artifact, HubArtifact, artifact_folder, damaged, load_artifact, save_artifact
from interlingua.errors import ArtifactError
from interlingua.interventions import Intervention, edited
from interlingua.measures.embedding import embed_layers
from interlingua.measures.scoring import Scoring
from interlingua.models import LanguageModel, load_model
from interlingua.models.neurons import SITES
from interlingua.valid import require_array


class MadeFrom(BaseModel):
    """What an aligner says that it is made from, at least."""

    model: str
    revision: str | None
    dtype: str
    neurons: str


class EditFields(BaseModel):
    """What an aligner says of its intervention."""

    kind: str
    parameters: dict[str, Any]


class AlignerFields(BaseModel):
    """What the manifest of an aligner has; those of before special tokens were left out do not name them."""

    languages: list[str]
    layers: list[NonNegativeInt] = Field(min_length=1)
    scoring: Scoring
    final_norm: bool
    special_tokens: bool = True
    made_from: MadeFrom
    edit: EditFields | None = None


@dataclass(frozen=True)
class Aligner(HubArtifact):
    """What `align` returns.

    Attributes:
        model: The model, without the blocks that are not needed.
        layers: The hidden states that are read, numbered from 0; several are concatenated.
        alignment: The map.
        made_from: The recipe, its held-out top-1, the model and the probe.
        scoring: What neighbours are found by best: `cosine`, which is the inner product of what `encode` returns, or
            `csls`, for `retrieval` and `bitext`.
        edit: What the model runs with, if an intervention helps.
        final_norm: Whether the layer is read through the model's final norm.
        special_tokens: Whether tokens that the tokenizer adds count in the mean over a sentence's tokens.

    Example:
        With a `model` of 32 dimensions, and a `probe` in four languages to fit the map on:

        >>> from interlingua.alignment import Recipe
        >>> recipe = Recipe("centring", (1,))
        >>> read = {"layers": [1], "special_tokens": False}
        >>> space = {1: {code: embed_layers(model, probe[code], **read).of_layer[1] for code in probe.languages}}
        >>> aligner = Aligner(model, recipe.layers, recipe.fit(space), {"recipe": str(recipe)})
        >>> aligner.layers, aligner.encode(["It rains.", "Llueve."]).shape
        ((1,), (2, 32))
    """

    model: LanguageModel = field(repr=False, compare=False)
    layers: tuple[int, ...]
    alignment: LinearAlignment = field(repr=False)
    made_from: Mapping[str, Any]
    scoring: Scoring = "cosine"
    edit: Intervention | None = field(default=None, repr=False)
    final_norm: bool = False
    special_tokens: bool = False

    def encode(self, sentences: Sequence[str], language: str | None = None) -> np.ndarray:
        """Return aligned embeddings, whose inner product is their cosine similarity.

        Args:
            sentences: The sentences, mean-pooled over their tokens, those that the tokenizer adds only with
                `special_tokens`.
            language: Their language; its mean is subtracted instead of the grand mean, where the two differ.

        Returns:
            float32 [sentences, dimensions], of unit length.

        Raises:
            LanguageError: The language was not in the probe.
            InputError: A sentence has no token that counts, as an empty one.
        """
        if language is None and np.ptp(self.alignment.means, axis=0).any() and not self.alignment.needs_language:
            warnings.warn(
                "this aligner was fitted with each language's own mean, and is much worse without the language: give "
                "it, or align with language_free=True",
                stacklevel=2,
            )
        with edited(self.model, self.edit):
            states = embed_layers(
                self.model, sentences, layers=self.layers, special_tokens=self.special_tokens
            ).of_layer
        side_by_side = np.concatenate([states[layer] for layer in self.layers], axis=1)
        return unit_length(self.alignment.apply(side_by_side, language)).astype(np.float32)

    def _save_pretrained(self, save_directory: Path) -> None:
        arrays = {"means": self.alignment.means, "matrices": self.alignment.matrices}
        description: dict[str, Any] = {
            "languages": list(self.alignment.languages),
            "layers": list(self.layers),
            "scoring": self.scoring,
            "final_norm": self.final_norm,
            "special_tokens": self.special_tokens,
            "made_from": dict(self.made_from),
        }
        if self.edit is not None:
            neurons, scale, shift = self.edit.by_neuron(self.model.neurons)
            arrays |= {"edit_neurons": neurons, "edit_scale": scale, "edit_shift": shift}
            description["edit"] = {"kind": self.edit.kind, "parameters": dict(self.edit.parameters)}
        save_artifact(save_directory, "aligner", Artifact(arrays, description), self._card())

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        model: LanguageModel | None = None,
        revision: str | None = None,
        token: str | bool | None = None,
    ) -> Aligner:
        """Read what `save_pretrained` or `push_to_hub` wrote: the map, not the model's weights.

        Args:
            source: A folder, or the id `owner/name` of a repository on the Hub.
            model: The model that it was made for; by default loaded by its name.
            revision: The commit, tag or branch on the Hub.
            token: For a private repository; by default the one of `hf auth login`.

        Raises:
            ArtifactError: It cannot be had, is damaged, or was made for another model.
        """
        folder = artifact_folder(source, revision, token)
        artifact = load_artifact(folder, "aligner", AlignerFields)
        _require_arrays(folder, artifact)
        made_from = artifact.description["made_from"]
        if model is None:
            model = load_model(made_from["model"], revision=made_from["revision"], dtype=made_from["dtype"])
        model = next(
            (at for site in SITES if made_from["neurons"] == (at := model.at(site)).neurons.fingerprint), model
        )
        if made_from["neurons"] != model.neurons.fingerprint:
            raise ArtifactError(
                f"this aligner was made for {made_from['model']}, whose layers have other names or sizes than those of "
                f"{model.name}; give the whole model, not one that is cut"
            )
        layers = tuple(artifact.description["layers"])
        arrays, description = artifact.arrays, artifact.description
        alignment = LinearAlignment(tuple(description["languages"]), arrays["means"], arrays["matrices"])
        final_norm = description["final_norm"]
        shorter = cut(model, max(layers), final_norm=final_norm)
        edit = None
        if "edit" in description:
            edit = Intervention.of_neurons(
                shorter.neurons, arrays["edit_neurons"], scale=arrays["edit_scale"], shift=arrays["edit_shift"],
                kind=description["edit"]["kind"], parameters=description["edit"]["parameters"],
            )  # fmt: skip
        special_tokens = description.get("special_tokens", True)
        return cls(shorter, layers, alignment, made_from, description["scoring"], edit, final_norm, special_tokens)

    def save_sentence_transformer(self, folder: str | Path, language: str | None = None) -> None:
        """Write a folder that `SentenceTransformer(folder)` loads without remote code; see `sentence_transformer`.

        Args:
            folder: Where.
            language: Subtract this language's mean instead of the grand mean; all sentences must then be in it.

        Raises:
            InputError: Several layers are concatenated, or the intervention cannot be in the weights without remote
                code.
            MissingExtraError: The extra `embed` is not installed.
        """
        from interlingua.alignment.sentence_transformer import save_sentence_transformer

        save_sentence_transformer(
            Path(folder), self.model, self.layers, self.alignment.weight_and_bias(language), edit=self.edit,
            special_tokens=self.special_tokens,
            card=card_of_aligner(
                self.made_from, self.alignment.languages if language is None else [language],
                library="sentence-transformers", snippet=SENTENCE_TRANSFORMERS,
            ),
        )  # fmt: skip

    def _card(self) -> str:
        language = f', "{self.alignment.languages[0]}"' if self.alignment.needs_language else ""
        return card_of_aligner(
            self.made_from, self.alignment.languages, library="interlingua",
            snippet=(
                f'import interlingua as il\n\naligner = il.Aligner.from_pretrained(".")\n'
                f'print(aligner.encode(["It rains."]{language}).shape)'
            ),
        )  # fmt: skip


def _require_arrays(folder: Path, artifact: Artifact) -> None:
    """Raise unless the arrays of an aligner have the shapes that its description says.

    Raises:
        ArtifactError: They have not.
    """
    arrays, languages = artifact.arrays, len(artifact.description["languages"])
    try:
        means, matrices = arrays["means"], arrays["matrices"]
        dimensions = means.shape[-1] if means.ndim else 0
        require_array("means", means, (languages, dimensions))
        outputs = matrices.shape[1] if matrices.ndim == 3 else dimensions
        require_array("matrices", matrices, (languages if len(matrices) > 1 else 1, outputs, dimensions))
        if "edit" in artifact.description:
            size = (arrays["edit_neurons"].size,)
            require_array("edit_neurons", arrays["edit_neurons"], size, integers=True, low=0)
            for name in ("edit_scale", "edit_shift"):
                require_array(name, arrays[name], size)
    except (KeyError, ValueError) as error:
        raise damaged(folder, error.args[0]) from None


def edit_of_cut(edit: Intervention | None, shorter: LanguageModel) -> Intervention | None:
    """Return the part of a whole model's edit that lies in a cut one; None where nothing does."""
    if edit is None:
        return None
    neurons, scale, shift = edit.by_neuron(shorter.neurons)
    kept = Intervention.of_neurons(
        shorter.neurons, neurons, scale=scale, shift=shift, kind=edit.kind, parameters=edit.parameters
    )
    return kept if len(kept) else None
