"""The comparison from end to end: embed the probe, choose inside it, then look at other sentences once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from interlingua.alignment.bitexts import Bitexts, judge_bitext
from interlingua.alignment.choose import (
    AS_IN_PAPER,
    Candidate,
    Reading,
    candidates_table,
    choose,
    score_candidates,
    shortlist,
)
from interlingua.alignment.edits import NONE, best_edit, screen
from interlingua.alignment.growth import growth_in_languages, growth_in_sentences
from interlingua.alignment.judge import Hits, groups, judge, pairs_table, ranking
from interlingua.alignment.methods import NEED_LANGUAGE, Recipe
from interlingua.alignment.selection import HeldOut
from interlingua.alignment.settings import Settings
from interlingua.alignment.spaces import Spaces, embed_to_disk
from interlingua.corpora import ParallelCorpus
from interlingua.errors import InputError
from interlingua.files import sha256_of_json
from interlingua.interventions import Intervention
from interlingua.languages import seen_languages
from interlingua.models import LanguageModel


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes:
        chosen: The candidate of the best held-out top-1 inside the probe, the simplest of those that are as good.
        raw: The last layer as it is, by cosine: what the paper compares with.
        tables: Tidy tables by name: `candidates` (all, held out), `ranking`, `groups`, `pairs` (judged), `sentences`,
            `languages` (growth), `edits` (screened interventions), `bitext`; those that were asked for.
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
    methods = [method for method in settings.methods if fits_all or method not in NEED_LANGUAGE]
    settings = replace(settings, methods=tuple(dict.fromkeys(["identity", *methods])))
    folder = Path(folder)
    last = model.hf.config.get_text_config().num_hidden_layers
    layers = tuple(
        range(last + 1) if settings.layers is None else sorted({own % (last + 1) for own in settings.layers})
    )
    run = _Run(model, probe, evaluation, folder, layers, settings)
    plain = Reading(NONE, settings.special_tokens)
    candidates = run.score(plain, settings.methods)
    as_in_paper = run.score(AS_IN_PAPER, ["identity"])
    tables: dict[str, pd.DataFrame] = {}
    if settings.edits is not None and settings.edits.kinds:
        without = choose(candidates)
        tables["edits"], run.edits = screen(
            model, probe, settings.edits, without.recipe, layers=run.with_last, scorings=settings.scorings,
            special_tokens=settings.special_tokens, folds=settings.folds, seed=settings.seed,
            file=folder / "scores" / "edits.jsonl",
        )  # fmt: skip
        methods = tuple(dict.fromkeys(["identity", without.recipe.method]))
        asked = tables["edits"][tables["edits"].layer.isin(layers)]
        for edit in dict.fromkeys(best_edit(asked, method)[0] for method in methods):
            candidates += run.score(Reading(edit, settings.special_tokens), methods)
    candidates = [candidate for candidate in candidates if set(candidate.recipe.layers) <= set(layers)]
    chosen = choose(candidates)
    raw = next(c for c in as_in_paper if c.recipe == Recipe("identity", (last,)) and c.scoring == "cosine")
    candidates = list({candidate.key: candidate for candidate in [*candidates, *as_in_paper]}.values())
    tables["candidates"] = candidates_table(candidates)

    judged = judge(run.shortlisted(candidates, chosen, raw), run.probe_of, run.evaluation_of)
    as_it_is = [c for c in judged if c.recipe.method == "identity" and c.reading == plain and c.scoring == "cosine"]
    best_raw = max(as_it_is, key=lambda c: c.top1)
    told: dict[Candidate, Hits] = {c: judged[c] for c in dict.fromkeys([raw, best_raw, chosen])}
    seen = seen_languages(model.name) if seen is None else seen
    tables["ranking"] = ranking(judged, chosen, settings.resamples, settings.seed)
    tables["groups"] = groups(told, seen, settings.resamples, settings.seed)
    tables["pairs"] = pairs_table(told)
    of_chosen = run.probe_of(chosen.reading), run.evaluation_of(chosen.reading)
    draws = (settings.draws, settings.seed)
    tables["sentences"] = growth_in_sentences(chosen, *of_chosen, settings.sizes, *draws)
    if chosen.recipe.method not in NEED_LANGUAGE and len(probe.languages) > 2:
        tables["languages"] = growth_in_languages(chosen, *of_chosen, *draws)
    if bitexts:
        tables["bitext"] = judge_bitext(list(told), bitexts, run.probe_of, run.spaces_of)
    return Comparison(chosen, raw, tables, run.made_from())


class _Run:
    """The embeddings and scores of a comparison, each made when it is first asked for."""

    def __init__(
        self,
        model: LanguageModel,
        probe: ParallelCorpus,
        evaluation: ParallelCorpus,
        folder: Path,
        layers: tuple[int, ...],
        settings: Settings,
    ) -> None:
        self.model, self.probe, self.evaluation = model, probe, evaluation
        self.folder, self.layers, self.settings = folder, layers, settings
        self.with_last = tuple(sorted({*layers, model.hf.config.get_text_config().num_hidden_layers}))
        self.edits: Mapping[str, Intervention] = {}
        self._judged_layers: dict[Reading, set[int]] = {}
        self.probe_of: Callable[[Reading], Spaces] = cache(self._probe_of)
        self.evaluation_of: Callable[[Reading], Spaces] = cache(self._evaluation_of)

    def score(self, reading: Reading, methods: Sequence[str]) -> list[Candidate]:
        """Score candidates by a reading on held-out sentences of the probe."""
        own = self.settings
        key = [self._identity(reading), self.probe.fingerprint(), own.folds, own.seed, list(own.scorings)]
        held_out = HeldOut(
            self.probe_of(reading),
            folds=own.folds,
            seed=own.seed,
            scorings=own.scorings,
            file=self.folder / "scores" / f"{sha256_of_json(key)[:16]}.jsonl",
        )
        return score_candidates(held_out, methods, reading)

    def shortlisted(self, candidates: Sequence[Candidate], chosen: Candidate, raw: Candidate) -> list[Candidate]:
        """Return what is judged, and remember the layers that it needs."""
        judged = shortlist(candidates, chosen, raw)
        for candidate in judged:
            self._judged_layers.setdefault(candidate.reading, set()).update(candidate.recipe.layers)
        return judged

    def spaces_of(self, reading: Reading, sentences: Mapping[str, Sequence[str]]) -> Spaces:
        """Embed sentences with the layers that are judged."""
        return self._embed(sentences, reading, sorted(self._judged_layers[reading]))

    def made_from(self) -> dict[str, Any]:
        """Return what makes the comparison, for a manifest."""
        return {
            **self.model.identity(),
            "probe": self._corpus(self.probe),
            "evaluation": self._corpus(self.evaluation),
            "layers": list(self.layers),
            "settings": asdict(self.settings),
        }

    def _probe_of(self, reading: Reading) -> Spaces:
        return self._embed(self.probe.sentences, reading, self._layers_of(reading))

    def _layers_of(self, reading: Reading) -> tuple[int, ...]:
        """Return the layers asked for; with the last, where the paper's reading is meant, which starts from that."""
        return self.with_last if reading == AS_IN_PAPER else self.layers

    def _evaluation_of(self, reading: Reading) -> Spaces:
        layers = sorted(self._judged_layers[reading])
        return self._embed(self.evaluation.sentences, reading, layers)

    def _embed(self, sentences: Mapping[str, Sequence[str]], reading: Reading, layers: Sequence[int]) -> Spaces:
        return embed_to_disk(
            self.model, sentences, self.folder / "embeddings", layers=layers, edit=self.edits.get(reading.edit),
            special_tokens=reading.special_tokens,
        )  # fmt: skip

    def _identity(self, reading: Reading) -> list[Any]:
        edit = self.edits[reading.edit].content_hash() if reading.edit != NONE else None
        return [self.model.identity(), edit, reading.special_tokens, list(self._layers_of(reading))]

    @staticmethod
    def _corpus(corpus: ParallelCorpus) -> dict[str, Any]:
        return {
            "corpus": corpus.name,
            "split": corpus.split,
            "languages": list(corpus.languages),
            "sentences": len(corpus),
            "sha256": corpus.fingerprint(),
        }


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
