"""Find how a frozen model is aligned best, and align it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from interlingua.alignment.aligner import Aligner, edit_of_cut
from interlingua.alignment.cut import cut
from interlingua.alignment.edits import EVERY_KIND, EditGrid, best_edit, screen
from interlingua.alignment.methods import METHODS, NEED_LANGUAGE, Recipe
from interlingua.alignment.selection import AS_GOOD, FOLDS, HeldOut, search, simplest_of_the_best
from interlingua.alignment.spaces import Spaces, embed_to_disk
from interlingua.corpora import ParallelCorpus
from interlingua.errors import InputError
from interlingua.interventions import Intervention
from interlingua.measures.scoring import NEIGHBOURS, Scoring
from interlingua.models import LanguageModel


def align(
    model: LanguageModel,
    probe: ParallelCorpus,
    *,
    layers: Sequence[int] | None = None,
    methods: Sequence[str] | None = None,
    together: int = 3,
    edits: EditGrid | None = EVERY_KIND,
    language_free: bool = False,
    final_norm: bool = False,
    special_tokens: bool = False,
    folds: int = FOLDS,
    seed: int = 0,
    folder: str | Path | None = None,
) -> Aligner:
    """Find the layers, intervention, map and scoring that align a model best, and fit them on the whole probe.

    The choice is by cross-validation inside the probe alone (`selection.search`); the held-out top-1 that comes with
    the result is that of the chosen recipe, and so a little too high. Judge on other sentences. What is not simple (an
    intervention, several layers, each language's mean, another score than cosine) is taken only where it is better by
    more than `selection.AS_GOOD`.

    Args:
        model: The model, which stays as it is.
        probe: Parallel sentences in two languages or more.
        layers: Hidden states to choose from, numbered from 0; by default all.
        methods: Names of `METHODS`; by default all that have a form without a language at run time.
        together: How many layers may be concatenated. With 1 the result can be exported.
        edits: Which interventions are tried before the map; by default every kind at k = 2,000, half and whole. None
            for none.
        language_free: Choose among the forms that need no language at run time alone. Without it, each language's own
            mean is taken where it is better by more than `AS_GOOD`, and `encode` should be given the language.
        final_norm: Read the chosen layer through the model's final norm, as the last hidden state of a model that ends
            there: one block less to run, and stock tools load it. The map is fitted to that.
        special_tokens: Whether tokens that the tokenizer adds count in the mean over a sentence's tokens. The state of
            a start token is large and the same everywhere, so that with it short sentences are found much worse.
        folds: How many folds of sentences.
        seed: Of the folds.
        folder: Where the probe's embeddings are kept; by default a temporary one.

    Raises:
        InputError: A layer or method is unknown, or the probe is too small.

    Example:
        >>> import interlingua as il
        >>> probe = il.open_corpus("starter").parallel("dev", languages=["en", "es", "ja"])
        >>> aligner = il.align(il.load_model(), probe)  # doctest: +SKIP
        >>> aligner.encode(["It rains."]) @ aligner.encode(["Llueve."]).T  # doctest: +SKIP
    """
    chosen_from = tuple(m for m in METHODS if m not in NEED_LANGUAGE) if methods is None else tuple(methods)
    with TemporaryDirectory() as scratch:
        place = Path(scratch if folder is None else folder)

        def embedded(reader: LanguageModel, read: Sequence[int] | None, edit: Intervention | None) -> Spaces:
            return embed_to_disk(reader, probe.sentences, place, layers=read, edit=edit, special_tokens=special_tokens)

        spaces = embedded(model, layers, None)
        found = _chosen(spaces, chosen_from, together, language_free, folds, seed)
        edit = None
        if edits is not None and edits.kinds:
            table, made = screen(
                model, probe, edits, found.recipe, layers=list(spaces), special_tokens=special_tokens, folds=folds,
                seed=seed,
            )  # fmt: skip
            name, gain = best_edit(table, found.recipe.method)
            if gain > AS_GOOD:
                edited_spaces = embedded(model, layers, made[name])
                edited = _chosen(edited_spaces, [found.recipe.method], together, language_free, folds, seed)
                if edited.top1 > found.top1 + AS_GOOD:
                    found, edit, spaces = edited, made[name], edited_spaces
        scoring, top1 = _scoring(spaces, found, folds, seed)
        recipe = found.recipe
        shorter = cut(model, max(recipe.layers), final_norm=final_norm)
        fit_on = spaces
        if final_norm:
            if len(recipe.layers) > 1:
                raise InputError("the final norm is on one layer; align with together=1, or without final_norm")
            fit_on = embedded(shorter, recipe.layers, edit_of_cut(edit, shorter))
        alignment = recipe.fit(fit_on)
    identity = model.identity()
    made_from = {
        "recipe": str(recipe),
        "edit": edit.kind if edit is not None else None,
        "held_out_top1": top1,
        "scoring": scoring,
        "final_norm": final_norm,
        "special_tokens": special_tokens,
        **{key: identity[key] for key in ("model", "revision", "dtype", "neurons")},
        "corpus": probe.name,
        "split": probe.split,
        "probe": probe.fingerprint(),
        "sentences": len(probe),
        "folds": folds,
        "seed": seed,
    }
    return Aligner(
        shorter, recipe.layers, alignment, made_from, scoring=scoring, edit=edit_of_cut(edit, shorter),
        final_norm=final_norm, special_tokens=special_tokens,
    )  # fmt: skip


@dataclass(frozen=True)
class _Found:
    recipe: Recipe
    top1: float


def _chosen(
    spaces: Spaces,
    methods: Sequence[str],
    together: int,
    language_free: bool,
    folds: int,
    seed: int,
) -> _Found:
    held_out = HeldOut(spaces, folds=folds, seed=seed)
    tried = search(held_out, methods, together=together, language_free=language_free)
    recipe = simplest_of_the_best(tried)
    return _Found(recipe, tried[recipe])


def _scoring(spaces: Spaces, found: _Found, folds: int, seed: int) -> tuple[Scoring, float]:
    """Return the scoring with its held-out top-1: `csls` where it is better than cosine by more than `AS_GOOD`.

    Folds must be large enough for its neighbourhoods.
    """
    held_out = HeldOut(spaces, folds=folds, seed=seed, scorings=["csls"])
    if min(map(len, held_out.parts)) >= NEIGHBOURS["csls"]:
        top1 = held_out.top1(found.recipe, "csls")
        if top1 > found.top1 + AS_GOOD:
            return "csls", top1
    return "cosine", found.top1
