"""Find how a frozen model is aligned best, and align it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from interlingua.alignment.aligner import Aligner
from interlingua.alignment.cut import cut
from interlingua.alignment.methods import METHODS, NEED_LANGUAGE
from interlingua.alignment.selection import FOLDS, select
from interlingua.corpora import ParallelCorpus
from interlingua.measures.embedding import embed_layers
from interlingua.models import LanguageModel
from interlingua.progress import ProgressCallback, silent


def align(
    model: LanguageModel,
    probe: ParallelCorpus,
    *,
    layers: Sequence[int] | None = None,
    methods: Sequence[str] | None = None,
    folds: int = FOLDS,
    seed: int = 0,
    progress: ProgressCallback = silent,
) -> Aligner:
    """Find the method, layers and shrinkage that align a model best, and fit them on the whole probe.

    The choice is by cross-validation inside the probe alone (`selection.select`); the held-out top-1 that comes with
    the result is that of the chosen recipe, and so a little too high. Judge on other sentences.

    Args:
        model: The model, which stays as it is.
        probe: Parallel sentences in two languages or more.
        layers: Hidden states to choose from, numbered from 0; by default all.
        methods: Names of `METHODS`; by default all that have a form without a language at run time.
        folds: How many folds of sentences.
        seed: Of the folds.
        progress: Called with what is done.

    Raises:
        InputError: A layer or method is unknown, or the probe is too small.

    Example:
        >>> import interlingua as il
        >>> probe = il.load_corpus("starter", "dev", languages=["en", "es", "ja"])
        >>> aligner = il.align(il.load_model(), probe)  # doctest: +SKIP
        >>> aligner.encode(["It rains."]) @ aligner.encode(["Llueve."]).T  # doctest: +SKIP
    """
    chosen_from = tuple(m for m in METHODS if m not in NEED_LANGUAGE) if methods is None else tuple(methods)
    embedded: dict[int, dict[str, np.ndarray]] = {}
    for code in probe.languages:
        for layer, space in embed_layers(model, probe[code], layers=layers, progress=progress).of_layer.items():
            embedded.setdefault(layer, {})[code] = space
    recipe, tried = select(embedded, methods=chosen_from, folds=folds, seed=seed, progress=progress)
    identity = model.identity()
    made_from: dict[str, Any] = {
        "recipe": str(recipe),
        "held_out_top1": float(tried.set_index("recipe").top1[str(recipe)]),
        **{key: identity[key] for key in ("model", "revision", "dtype", "neurons")},
        "corpus": probe.name,
        "split": probe.split,
        "probe": probe.fingerprint(),
        "sentences": len(probe),
        "folds": folds,
        "seed": seed,
    }
    return Aligner(cut(model, max(recipe.layers)), recipe.layers, recipe.fit(embedded), made_from)
