"""The comparison from end to end: embed the probe, choose inside it, then look at other sentences once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from interlingua.alignment.beside import Ways, judge_beside, ways_of_map
from interlingua.alignment.bitexts import Bitexts, judge_bitext
from interlingua.alignment.blocks import layer_of
from interlingua.alignment.candidate import Candidate
from interlingua.alignment.choose import candidates_table, choose, shortlist
from interlingua.alignment.embedded_probe import EmbeddedProbe, Reading
from interlingua.alignment.encoders import Encoder
from interlingua.alignment.growth import growth_in_languages, growth_in_sentences
from interlingua.alignment.judge import Hits, groups, judge, pairs_table, ranking
from interlingua.alignment.methods import NEED_LANGUAGE, Recipe, concatenated
from interlingua.alignment.search import layers_of, score, search
from interlingua.alignment.settings import Settings
from interlingua.alignment.spaces import Spaces
from interlingua.corpora import ParallelCorpus
from interlingua.errors import InputError
from interlingua.measures.embedding import layer_numbers
from interlingua.models import LanguageModel
from interlingua.models.compiling import embedding_identity
from interlingua.pretraining import seen_languages

AS_IN_PAPER = Reading(special_tokens=True)


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes:
        chosen: The candidate of the best held-out top-1 inside the probe, the simplest of those that are as good.
        raw: The last layer as it is, by cosine: what the paper compares with.
        tables: Tidy tables by name: `candidates` (all, held out), `ranking`, `groups`, `pairs` (judged), `sentences`,
            `languages` (growth), `encoders` (the chosen map as it is and adapted, and trained encoders; see
            `beside.judge_beside`), and if asked for `edits` (screened interventions) and `bitext`.
        made_from: Model, corpora and settings.
    """

    chosen: Candidate
    raw: Candidate
    tables: Mapping[str, pd.DataFrame]
    made_from: Mapping[str, Any]


def compare(
    model: LanguageModel,
    probe: ParallelCorpus,
    evaluation: ParallelCorpus,
    folder: str | Path,
    *,
    settings: Settings | None = None,
    bitexts: Bitexts | None = None,
    seen: Collection[str] | None = None,
    encoders: Sequence[Encoder] = (),
) -> Comparison:
    """Compare ways of aligning a frozen model.

    Everything is fitted and chosen on the probe, by cross-validation inside it. The evaluation split and the bitexts
    are embedded after the choice, and only with the layers that are judged.

    Args:
        model: The model, which stays as it is.
        probe: Parallel sentences in two languages or more.
        evaluation: Other parallel sentences. Its languages that the probe lacks are judged without a mean of theirs.
        folder: Where embeddings and scores are kept, so that one that was stopped goes on. Both can be removed.
        settings: What is tried; the last layer as it is always is, being what the paper compares with.
        bitexts: Pairs with English to judge on as well; see `alignment.bitexts.load_bitexts`.
        seen: The languages that the model was pre-trained on; by default those that its makers name.
        encoders: Trained encoders to judge on the same text; see `load_encoder`.

    Raises:
        InputError: The probe and the evaluation split share sentences, or something cannot be fitted.

    Example:
        >>> import interlingua as il
        >>> probe, evaluation = (il.open_corpus("starter").parallel(split, languages=["en", "es", "ja"])
        ...                      for split in ("dev", "devtest"))
        >>> found = il.compare(il.load_model(), probe, evaluation, "runs/compare")  # doctest: +SKIP
        >>> found.tables["ranking"][["candidate", "top1", "low", "high"]]  # doctest: +SKIP
    """
    settings = settings or Settings()
    _require_apart(probe, evaluation)
    fits_all = set(evaluation.languages) <= set(probe.languages)
    methods = tuple(method for method in settings.methods if fits_all or method not in NEED_LANGUAGE)
    if not methods:
        raise InputError(f"{', '.join(settings.methods)} cannot be fitted to languages that the probe lacks")
    settings = replace(settings, methods=methods)
    last = model.hf.config.get_text_config().num_hidden_layers
    layers = None if settings.layers is None else {*layer_numbers(model, settings.layers), last}
    embedded = EmbeddedProbe(
        model, probe, Path(folder), layers=layers, sif=settings.sif, folds=settings.folds, seed=settings.seed
    )
    found = search(embedded, settings, every_scoring=True)
    chosen = choose(found.candidates, settings.tolerance)
    as_it_is = replace(settings, methods=("identity",))
    plain = Reading(special_tokens=settings.special_tokens)
    unmapped = score(embedded, plain, as_it_is, every_scoring=True) if "identity" not in methods else []
    as_in_paper = score(embedded, AS_IN_PAPER, replace(as_it_is, layers=None), every_scoring=True)
    raw = next(c for c in as_in_paper if c.recipe == Recipe("identity", (last,)) and c.scoring == "cosine")
    candidates = list({candidate.key: candidate for candidate in [*found.candidates, *unmapped, *as_in_paper]}.values())
    tables = {} if found.edits is None else {"edits": found.edits}
    tables["candidates"] = candidates_table(candidates)
    tables |= _judged(embedded, evaluation, shortlist(candidates, chosen, raw), chosen, raw, settings, bitexts, seen)
    tables["encoders"] = judge_beside(
        encoders, _map_of(embedded, chosen), evaluation, bitexts or {}, embedded.folder / "embeddings",
        settings.resamples, settings.seed,
    )  # fmt: skip
    made_from = {
        **embedding_identity(model),
        "probe": probe.description(),
        "evaluation": evaluation.description(),
        "layers": layers_of(embedded, settings),
        "settings": asdict(settings),
    }
    return Comparison(chosen, raw, tables, made_from)


def _judged(
    embedded: EmbeddedProbe,
    evaluation: ParallelCorpus,
    listed: Sequence[Candidate],
    chosen: Candidate,
    raw: Candidate,
    settings: Settings,
    bitexts: Bitexts | None,
    seen: Collection[str] | None,
) -> dict[str, pd.DataFrame]:
    """Look at other sentences, with the layers that are judged alone."""

    def embed(reading: Reading, sentences: Mapping[str, Sequence[str]]) -> Spaces:
        layers = sorted({layer_of(block) for c in listed if c.reading == reading for block in c.recipe.blocks})
        return embedded.embed(sentences, reading, layers)

    @cache
    def evaluation_of(reading: Reading) -> Spaces:
        return embed(reading, evaluation.sentences)

    judged = judge(listed, embedded.spaces, evaluation_of)
    plain = Reading(special_tokens=settings.special_tokens)
    as_it_is = [c for c in judged if c.recipe.method == "identity" and c.reading == plain and c.scoring == "cosine"]
    best_raw = max(as_it_is, key=lambda c: c.top1)
    compared: dict[Candidate, Hits] = {c: judged[c] for c in dict.fromkeys([raw, best_raw, chosen])}
    seen = seen_languages(embedded.model.name) if seen is None else seen
    spaces = embedded.spaces(chosen.reading), evaluation_of(chosen.reading)
    draws = settings.draws, settings.seed
    tables = {
        "ranking": ranking(judged, chosen, settings.resamples, settings.seed),
        "groups": groups(compared, seen, settings.resamples, settings.seed),
        "pairs": pairs_table(compared),
        "sentences": growth_in_sentences(chosen, *spaces, settings.sizes, *draws),
    }
    if chosen.recipe.method not in NEED_LANGUAGE and len(embedded.corpus.languages) > 2:
        tables["languages"] = growth_in_languages(chosen, *spaces, *draws)
    if bitexts:
        tables["bitext"] = judge_bitext(list(compared), bitexts, embedded.spaces, embed)
    return tables


def _map_of(embedded: EmbeddedProbe, chosen: Candidate) -> Callable[[Mapping[str, Sequence[str]]], Ways]:
    """Fit the chosen map once, and return what makes its vectors of any sentences."""
    recipe, probe = chosen.recipe, embedded.spaces(chosen.reading)
    layers = sorted(set(map(layer_of, recipe.blocks)))
    alignment = recipe.fit(probe)
    spread = chosen.spread(alignment, probe)

    def ways(sentences: Mapping[str, Sequence[str]]) -> Ways:
        read = concatenated(embedded.embed(sentences, chosen.reading, layers), recipe.blocks)
        return ways_of_map(alignment, spread, read, per_language=recipe.per_language)

    return ways


def _require_apart(probe: ParallelCorpus, evaluation: ParallelCorpus) -> None:
    """Raise where sentences of the evaluation split are in the probe.

    A sentence by itself may well be in both ("Yes."); a translation of one that is, in another language too, may not.
    """
    shared = set(probe.languages) & set(evaluation.languages)
    if not shared:
        return
    codes = sorted(shared)
    rows = set(zip(*(probe[code] for code in codes), strict=True))
    repeated = sum(row in rows for row in zip(*(evaluation[code] for code in codes), strict=True))
    if repeated:
        raise InputError(
            f"{repeated} of {len(evaluation)} sentences of the evaluation split are in the probe too, in every "
            "language; judge on other sentences"
        )
