"""A way of aligning a model: how it is read, the recipe of the map, the scoring, and its held-out top-1."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from interlingua.alignment.adapting import Spread, spread_of
from interlingua.alignment.aligner import Aligner
from interlingua.alignment.cut import cut, edit_of_cut
from interlingua.alignment.embedded_probe import NONE, EmbeddedProbe, Reading
from interlingua.alignment.linear import LinearAlignment
from interlingua.alignment.methods import SHRUNK, Layers, Recipe, concatenated
from interlingua.alignment.spaces import embed_to_disk
from interlingua.errors import InputError
from interlingua.measures.scoring import Scoring


@dataclass(frozen=True)
class Candidate:
    """What is searched, chosen, judged and fitted.

    Attributes:
        recipe: Layers, method, mean, shrinkage.
        scoring: How neighbours are scored.
        reading: How the hidden states are read.
        of_folds: The held-out top-1 of each fold of the probe.
        probe: The probe that it was scored on.
    """

    recipe: Recipe
    scoring: Scoring
    reading: Reading
    of_folds: tuple[float, ...]
    probe: EmbeddedProbe = field(repr=False, compare=False)

    @property
    def top1(self) -> float:
        """The held-out top-1."""
        return float(np.mean(self.of_folds))

    @property
    def key(self) -> tuple[Reading, Recipe, Scoring]:
        """What tells it from the others."""
        return self.reading, self.recipe, self.scoring

    def fit(self, *, final_norm: bool = False) -> Aligner:
        """Fit the map on the whole probe.

        Args:
            final_norm: Read the layer through the model's final norm, as the last hidden state of a model that ends
                there: one block less to run, and stock tools load it. The map is fitted to that.

        Returns:
            The map behind the model, without the blocks that it does not need.

        Raises:
            InputError: `final_norm`, and several layers are concatenated or the layer is 0.
        """
        model, recipe = self.probe.model, self.recipe
        if final_norm and len(recipe.blocks) > 1:
            raise InputError("the final norm is on one layer; search with max_blocks=1, or fit without final_norm")
        shorter = cut(model, recipe.depth, final_norm=final_norm)
        edit = edit_of_cut(self.probe.edits.get(self.reading.edit), shorter)
        special_tokens = self.reading.special_tokens
        spaces = self.probe.spaces(self.reading)
        if final_norm:
            spaces = embed_to_disk(
                shorter, self.probe.corpus.sentences, self.probe.folder / "embeddings", layers=recipe.layers, edit=edit,
                special_tokens=special_tokens,
            )  # fmt: skip
        alignment = recipe.fit(spaces)
        return Aligner(
            shorter, recipe.layers, alignment, self._made_from(final_norm), scoring=self.scoring, edit=edit,
            final_norm=final_norm, special_tokens=special_tokens, sif=recipe.sif,
            token_weights=self.probe.token_weights if recipe.sif else None,
            spread=self.spread(alignment, spaces),
        )  # fmt: skip

    def spread(self, alignment: LinearAlignment, spaces: Layers) -> Spread:
        """Return how the probe varies behind the map that was fitted to it."""
        probe = concatenated(spaces, self.recipe.blocks)
        mapped = alignment.apply_to_spaces(probe, with_language=self.recipe.per_language)
        return spread_of(np.stack([*mapped.values()]))

    def _made_from(self, final_norm: bool) -> dict[str, object]:
        identity, corpus = self.probe.model.identity(), self.probe.corpus
        edit = self.probe.edits.get(self.reading.edit)
        return {
            "recipe": str(self.recipe),
            "edit": edit.kind if edit is not None else None,
            "held_out_top1": self.top1,
            "scoring": self.scoring,
            "final_norm": final_norm,
            "special_tokens": self.reading.special_tokens,
            **{key: identity[key] for key in ("model", "revision", "dtype", "neurons")},
            "corpus": corpus.name,
            "split": corpus.split,
            "probe": corpus.fingerprint(),
            "sentences": len(corpus),
            "folds": self.probe.folds,
            "seed": self.probe.seed,
        }

    def __str__(self) -> str:
        parts = [str(self.recipe)]
        if self.reading.edit != NONE:
            parts.insert(0, f"{self.reading.edit}:")
        if self.reading.special_tokens:
            parts.append("all tokens")
        if self.scoring != "cosine":
            parts.append(f"by {self.scoring}")
        return " ".join(part if part.endswith(":") else f"{part}," for part in parts).rstrip(",")

    def columns(self) -> dict[str, object]:
        """Return the columns that describe it in a table."""
        return {
            "edit": self.reading.edit,
            "special_tokens": self.reading.special_tokens,
            "method": self.recipe.method,
            "layers": "+".join(map(str, self.recipe.blocks)),
            "per_language": self.recipe.per_language,
            "shrinkage": str(self.recipe.shrinkage) if self.recipe.method in SHRUNK else "",
            "scoring": self.scoring,
            "held_out": self.top1,
        }
