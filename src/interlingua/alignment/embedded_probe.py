"""A probe as a model reads it: the embeddings of every layer, by each reading, on disk when they are first needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from interlingua.alignment.blocks import layer_of, sif_weights
from interlingua.alignment.held_out import HeldOut, make_folds
from interlingua.alignment.spaces import Spaces, embed_to_disk
from interlingua.code_version import results_version
from interlingua.corpora import ParallelCorpus
from interlingua.files import sha256_of_json
from interlingua.interventions import Intervention
from interlingua.measures.embedding import layer_numbers
from interlingua.measures.scoring import Scoring
from interlingua.models import LanguageModel
from interlingua.models.compiling import embedding_identity

NONE = "none"


class Reading(NamedTuple):
    """How hidden states are read: with which intervention, and whether tokens that the tokenizer adds count."""

    edit: str = NONE
    special_tokens: bool = False


class EmbeddedProbe:
    """The embeddings of a probe by each reading, and its sentences dealt into folds.

    Args:
        model: The model, which stays as it is.
        corpus: Parallel sentences in two languages or more.
        folder: Where embeddings and scores are kept.
        layers: Hidden states, numbered from 0; by default all.
        sif: Whether each is pooled by SIF too.
        folds: How many folds of sentences.
        seed: Of the folds.

    Attributes:
        edits: The interventions that a reading may name.
        token_weights: Those of `blocks.sif_weights` by the probe's sentences, if `sif`.

    Raises:
        InputError: The model has no such layer, or the probe has too few sentences for the folds.
    """

    def __init__(
        self,
        model: LanguageModel,
        corpus: ParallelCorpus,
        folder: Path,
        *,
        layers: Collection[int] | None = None,
        sif: bool = False,
        folds: int,
        seed: int,
    ) -> None:
        make_folds(len(corpus), folds, seed)  # before anything is embedded
        self.model, self.corpus, self.folder = model, corpus, folder
        self.layers = tuple(sorted(layer_numbers(model, layers)))
        self.token_weights = sif_weights(model, corpus.sentences.values()) if sif else None
        self.folds, self.seed = folds, seed
        self.edits: dict[str, Intervention] = {}
        self.spaces = cache(self._spaces)

    def _spaces(self, reading: Reading) -> Spaces:
        return self.embed(self.corpus.sentences, reading, self.layers)

    def embed(self, sentences: Mapping[str, Sequence[str]], reading: Reading, layers: Sequence[int]) -> Spaces:
        """Embed any sentences as the probe's are, by a reading."""
        return embed_to_disk(
            self.model, sentences, self.folder / "embeddings", layers=layers, edit=self.edits.get(reading.edit),
            special_tokens=reading.special_tokens, token_weights=self.token_weights,
        )  # fmt: skip

    def held_out(self, reading: Reading, layers: Sequence[int], scorings: Sequence[Scoring]) -> HeldOut:
        """Return what scores recipes by cross-validation inside the probe."""
        edit = self.edits[reading.edit].content_hash() if reading.edit != NONE else None
        made_by = [
            results_version(),
            embedding_identity(self.model),
            edit,
            reading.special_tokens,
            self.corpus.fingerprint(),
        ]
        key = sha256_of_json([*made_by, self.folds, self.seed, list(scorings)])
        spaces = self.spaces(reading)
        read = {block: spaces[block] for block in spaces if layer_of(block) in layers}
        return HeldOut(
            read, folds=self.folds, seed=self.seed, scorings=scorings,
            file=self.folder / "scores" / f"{key[:16]}.jsonl",
        )  # fmt: skip
