"""A frozen model with a linear map behind it: sentences in, aligned vectors of unit length out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from interlingua.alignment.adapting import THRESHOLD, Spread, centre_on, self_train
from interlingua.alignment.aligner_file import AlignerFields, require_arrays
from interlingua.alignment.blocks import Block, Sif, embed_blocks
from interlingua.alignment.card_of_aligner import ONNX, SENTENCE_TRANSFORMERS, card_of_aligner
from interlingua.alignment.cut import cut
from interlingua.alignment.linear import LinearAlignment, unit_length
from interlingua.artifact import Artifact, HubArtifact, artifact_folder, load_artifact, save_artifact
from interlingua.errors import ArtifactError, InputError
from interlingua.files import sha256_of_json
from interlingua.interventions import Intervention, edited
from interlingua.languages import parse_language
from interlingua.measures.scoring import Scoring
from interlingua.models import LanguageModel, load_model
from interlingua.models.neurons import SITES


@dataclass(frozen=True)
class Aligner(HubArtifact):
    """What `align` returns.

    Attributes:
        model: The model, without the blocks that are not needed.
        layers: The hidden states that are read, numbered from 0; several are concatenated.
        alignment: The map of all of them.
        made_from: The recipe, its held-out top-1, the model and the probe.
        scoring: What neighbours are found by best: `cosine`, which is the inner product of what `encode` returns, or
            `csls`, for `retrieval` and `bitext`.
        edit: What the model runs with, if an intervention helps.
        final_norm: Whether the layer is read through the model's final norm.
        special_tokens: Whether tokens that the tokenizer adds count in the mean over a sentence's tokens.
        sif: The hidden states that are also read by SIF; see `Recipe`.
        token_weights: Of each token of the vocabulary in SIF: float32 [vocabulary].
        spread: How the probe varies behind the map, which self-training starts from.

    Example:
        With a `model` of 32 dimensions, and a `probe` in four languages to fit the map on:

        >>> from interlingua.alignment import Recipe
        >>> recipe = Recipe("centring", (1,))
        >>> space = {1: {code: embed_blocks(model, probe[code], [1])[1] for code in probe.languages}}
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
    sif: tuple[int, ...] = ()
    token_weights: np.ndarray | None = field(default=None, repr=False, compare=False)
    spread: Spread | None = field(default=None, repr=False, compare=False)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What is read, in the order in which it is concatenated."""
        return (*self.layers, *map(Sif, self.sif))

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
                "it",
                stacklevel=2,
            )
        return unit_length(self.alignment.apply(self.read(sentences), language)).astype(np.float32)

    def read(self, sentences: Sequence[str]) -> np.ndarray:
        """Return what the map is applied to, the blocks side by side: float32 [sentences, summed dimensions]."""
        with edited(self.model, self.edit):
            states = embed_blocks(
                self.model, sentences, self.blocks, special_tokens=self.special_tokens,
                token_weights=self.token_weights,
            )  # fmt: skip
        return np.concatenate([states[block] for block in self.blocks], axis=1)

    def adapt(
        self,
        sentences_by_language: Mapping[str, Sequence[str]],
        *,
        self_training: bool = True,
        threshold: float = THRESHOLD,
    ) -> Aligner:
        """Return an aligner that is adapted to text without labels, which need not be parallel.

        Each language's mean in that text is subtracted instead of the probe's, and the map is refitted on pairs that it
        finds in the text by itself. What is judged on the same text then is judged on text that was looked at;
        `made_from["adapted_to"]` says so, and on which text.

        Args:
            sentences_by_language: For each language any sentences, a hundred at least. Give `encode` the language.
            self_training: Whether pairs are sought and the map is refitted on them; otherwise it is centred alone.
            threshold: How far a pair must stand out from its neighbours, in cosine; see
                `adapting.mutual_neighbours`.

        Raises:
            InputError: The aligner has a matrix for each language, or self-training is asked for and it was saved
                by a version that did not keep what that needs, or a language has fewer than two sentences.
        """
        if self.alignment.needs_language:
            raise InputError("this aligner has a matrix for each language, and cannot be adapted")
        if self_training and self.spread is None:
            raise InputError("this aligner does not know how its probe varied; fit it again, or self_training=False")
        texts = {parse_language(code): list(lines) for code, lines in sentences_by_language.items()}
        for code, lines in texts.items():
            if len(lines) < 2:
                raise InputError(f"{code} has {len(lines)} sentences; a mean needs more")
        read = {code: self.read(lines) for code, lines in texts.items()}
        alignment, found = centre_on(self.alignment, read), 0
        if self_training and self.spread is not None:
            alignment, found = self_train(alignment, self.spread, read, threshold=threshold)
        adapted_to = {
            "sentences": {code: len(lines) for code, lines in texts.items()},
            "sha256": sha256_of_json(texts),
            "self_training": self_training,
            "threshold": threshold if self_training else None,
            "mined_pairs": found,
        }
        return replace(self, alignment=alignment, made_from={**self.made_from, "adapted_to": adapted_to}, spread=None)

    def _save_pretrained(self, save_directory: Path) -> None:
        arrays = {"means": self.alignment.means, "matrices": self.alignment.matrices}
        description: dict[str, Any] = {
            "languages": list(self.alignment.languages),
            "layers": list(self.layers),
            "sif": list(self.sif),
            "scoring": self.scoring,
            "final_norm": self.final_norm,
            "special_tokens": self.special_tokens,
            "made_from": dict(self.made_from),
        }
        if self.token_weights is not None:
            arrays["token_weights"] = self.token_weights
        if self.spread is not None:
            arrays |= {"within": self.spread.within, "between": self.spread.between}
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
        require_arrays(folder, artifact)
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
        arrays, fields = artifact.arrays, AlignerFields.model_validate(artifact.description)
        alignment = LinearAlignment(tuple(fields.languages), arrays["means"], arrays["matrices"])
        shorter = cut(model, max([*fields.layers, *fields.sif]), final_norm=fields.final_norm)
        edit = None
        if fields.edit is not None:
            edit = Intervention.of_neurons(
                shorter.neurons, arrays["edit_neurons"], scale=arrays["edit_scale"], shift=arrays["edit_shift"],
                kind=fields.edit.kind, parameters=fields.edit.parameters,
            )  # fmt: skip
        return cls(
            shorter, tuple(fields.layers), alignment, made_from, fields.scoring, edit, fields.final_norm,
            fields.special_tokens, tuple(fields.sif), arrays.get("token_weights"),
            Spread(arrays["within"], arrays["between"]) if "within" in arrays else None,
        )  # fmt: skip

    def save_sentence_transformer(self, folder: str | Path, language: str | None = None) -> None:
        """Write a folder that `SentenceTransformer(folder)` loads without remote code; see `sentence_transformer`.

        Args:
            folder: Where.
            language: Subtract this language's mean instead of the grand mean; all sentences must then be in it.

        Raises:
            InputError: The intervention cannot be in the weights without remote code.
            MissingExtraError: The extra `embed` is not installed.
        """
        from interlingua.alignment.sentence_transformer import save_sentence_transformer

        save_sentence_transformer(
            Path(folder), self.model, self.blocks, self.alignment.weight_and_bias(language), edit=self.edit,
            special_tokens=self.special_tokens, token_weights=self.token_weights,
            card=self._card_of_export("sentence-transformers", SENTENCE_TRANSFORMERS, language),
        )  # fmt: skip

    def save_onnx(self, folder: str | Path, language: str | None = None) -> None:
        """Write a folder with `model.onnx`, from tokens to vectors, and `tokenizer.json`: to run without torch.

        Args:
            folder: Where.
            language: See `save_sentence_transformer`.

        Raises:
            InputError: The intervention cannot be in the weights without remote code.
            MissingExtraError: The extra `onnx` is not installed.
            ModelError: torch cannot export a model of this architecture.
        """
        from interlingua.alignment.onnx_graph import require_onnx, save_onnx

        require_onnx()
        with TemporaryDirectory() as scratch:
            exported = Path(scratch) / "exported"
            self.save_sentence_transformer(exported, language)
            save_onnx(Path(folder), exported, self.model, card=self._card_of_export("onnx", ONNX, language))

    def _card_of_export(self, library: str, snippet: str, language: str | None) -> str:
        languages = self.alignment.languages if language is None else [language]
        return card_of_aligner(self.made_from, languages, library=library, snippet=snippet)

    def _card(self) -> str:
        language = f', "{self.alignment.languages[0]}"' if self.alignment.needs_language else ""
        return card_of_aligner(
            self.made_from, self.alignment.languages, library="interlingua",
            snippet=(
                f'import interlingua as il\n\naligner = il.Aligner.from_pretrained(".")\n'
                f'print(aligner.encode(["It rains."]{language}).shape)'
            ),
        )  # fmt: skip
