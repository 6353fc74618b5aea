"""The cells of a study: what is to be computed, each with the key of everything that decides it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from interlingua.analysis import schema
from interlingua.code_version import results_version
from interlingua.experts.finders import NEEDS_ACTIVITY
from interlingua.files import sha256_of_json
from interlingua.languages import short_code
from interlingua.models.neurons import Site
from interlingua.pretraining import seen_languages
from interlingua.study.conditions import ORIGINAL, Condition, conditions
from interlingua.study.config import StudyConfig
from interlingua.study.corpora import Corpora

SWEPT = ("texts", "generation", "perplexity")

COMPILED = ("embeddings", "space", "perplexity", "paraphrase embeddings", "bitext embeddings")
"""What may run compiled, and so gives other numbers by rounding."""


@dataclass(frozen=True)
class Cell:
    """One piece of a study that is computed, kept and found again as a whole.

    Attributes:
        measure: What is computed, a name in `EXPERTS`, `ARRAYS` or `TABLES` of `interlingua.study.cells`.
        parameters: What decides it, besides the edit and the cells that it needs; JSON.
        condition: The state of the model; None where it is not about one.
        needs: The cells whose results it takes, by what it calls them.
        language: The language whose text it reads, where it is about one.
    """

    measure: str
    parameters: Mapping[str, Any]
    condition: Condition | None = None
    needs: Mapping[str, Cell] = field(default_factory=dict)
    language: str | None = None

    @cached_property
    def key(self) -> str:
        """The hash of everything that decides the result: equal keys, equal results."""
        decided_by = {
            "code": results_version(),
            "measure": self.measure,
            "parameters": self.parameters,
            "edit": self.condition.identity() if self.condition else None,
            "language": self.language,
            "needs": {name: need.key for name, need in self.needs.items()},
        }
        return sha256_of_json(decided_by)[:16]

    @property
    def model(self) -> Mapping[str, Any] | None:
        """The identity of the model that it runs, None where it only takes results of other cells."""
        return self.parameters.get("model")

    @property
    def reads(self) -> str:
        """What the model reads in it: equal in every condition of a measure."""
        return f"{self.measure} {self.language} {self.parameters}"

    @property
    def name(self) -> str:
        """What people call it."""
        parts = [self.measure]
        if self.condition is not None:
            parts.append(self.condition.title())
        if self.language is not None and (self.condition is None or self.condition.target is None):
            parts.append(short_code(self.language))
        return ", ".join(parts)


@dataclass(frozen=True)
class _Shared:
    """What the cells of all conditions share."""

    config: StudyConfig
    identity: Mapping[str, Any]
    corpora: Corpora
    experts: Mapping[Site, Cell]

    def reading(
        self, measure: str, condition: Condition, parameters: Mapping[str, Any], language: str | None = None
    ) -> Cell:
        """Return a cell that runs the model in a condition."""
        needs = {"experts": self.experts[condition.site]} if condition.edits else {}
        model = dict(self.identity) if measure in COMPILED else _as_it_is(self.identity)
        return Cell(measure, {"model": model, **parameters}, condition, needs, language)


def _as_it_is(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return the identity of a model of which nothing is compiled."""
    return {name: value for name, value in identity.items() if name != "compile"}


def plan(config: StudyConfig, identity: Mapping[str, Any], corpora: Corpora) -> list[Cell]:
    """Return the cells of a study in an order in which each comes after those that it needs.

    With k = 0 the steered model is the original: then two conditions have cells of the same key (see `once`).

    Args:
        config: The study.
        identity: Of the model (`KnownModel.identity`).
        corpora: What is read.
    """
    probe = corpora.probe
    decided_by = {
        "model": _as_it_is(identity),
        "probe": probe.fingerprint(),
        "languages": probe.languages,
        "pooling": config.pooling,
        "special_tokens": config.special_tokens,
        "max_length": config.max_length,
        "activity": bool({*config.finders} & {*NEEDS_ACTIVITY}),
    }
    experts = {site: Cell("experts", {**decided_by, "site": site}) for site in config.neurons}
    shared = _Shared(config, identity, corpora, experts)
    cells = [*experts.values()]
    for number, (finder, site) in enumerate(product(config.finders, config.neurons)):
        parameters = {
            "k": [k for k in config.all_k if k] or [0],
            "finder": finder,
            "site": site,
            "first": number == 0,
        }
        cells.append(Cell("expert statistics", parameters, None, {"experts": experts[site]}))
    original: dict[str, Cell] = {}
    for condition in conditions(config):
        by_measure: dict[str, Cell] = {}
        for cell in _of_condition(shared, condition, original):
            by_measure.setdefault(cell.measure, cell)
            cells.append(cell)
        if condition is ORIGINAL:
            original = by_measure
    return cells


def _of_condition(shared: _Shared, condition: Condition, original: Mapping[str, Cell]) -> Iterator[Cell]:
    wanted: set[str] = set(shared.config.measures)
    full = condition.match == schema.UNIFORM and condition.draw < shared.config.control.full_draws
    if condition.name == schema.CONTROL and not full:
        if wanted & set(shared.config.control_measures) & {"retrieval", "geometry"}:
            yield _space(shared, condition, original)
        return
    if condition.match is not None:
        wanted &= set(shared.config.control_measures) - {"projection"}  # a map is of the original and the steered
    if condition.swept:
        if shared.config.sweep.retrieval and wanted & {"retrieval", "geometry"}:
            yield _space(shared, condition, original)
        wanted &= set(SWEPT)
    if wanted & {"retrieval", "geometry", "correlation", "projection"}:
        yield from _of_space(shared, condition, original, wanted)
    if "paraphrase" in wanted and shared.corpora.paraphrases:
        yield from _paraphrase(shared, condition, original)
    if "bitext" in wanted and shared.corpora.bitext:
        yield from _bitext(shared, condition)
    if "generation" in wanted:
        yield from _generation(shared, condition)
    if "perplexity" in wanted:
        yield from _perplexity(shared, condition)


def _of_space(shared: _Shared, condition: Condition, original: Mapping[str, Cell], wanted: set[str]) -> Iterator[Cell]:
    config = shared.config
    embeddings = shared.reading("embeddings", condition, _of_evaluation(shared))
    retrieval = Cell("retrieval", {}, condition, {"embeddings": embeddings})
    geometry = Cell("geometry", {}, condition, {"embeddings": embeddings})
    yield embeddings
    correlates = "correlation" in wanted
    if correlates or "retrieval" in wanted:
        yield retrieval
    if correlates or "geometry" in wanted:
        yield geometry
    if "geometry" in wanted:
        needs = {"embeddings": embeddings, schema.ORIGINAL: original.get("embeddings", embeddings)}
        yield Cell("cross space", {}, condition, needs)
    if condition.target is None:
        return
    if correlates:
        seen = pretrained_languages(config)
        yield Cell(
            "correlation",
            {
                "resamples": config.correlation.resamples,
                "seed": _stream(config.seed, "bootstrap"),
                "seen": sorted(seen) if seen is not None else None,
            },
            condition,
            {
                "retrieval": retrieval,
                "geometry": geometry,
                "original retrieval": original["retrieval"],
                "original geometry": original["geometry"],
            },
            condition.target,
        )
    if "projection" in wanted:
        parameters = {**config.projection.model_dump(), "seed": _stream(config.seed, "projection")}
        needs = {schema.ORIGINAL: original["embeddings"], schema.STEERED: embeddings}
        yield Cell("projection", parameters, condition, needs)


def _space(shared: _Shared, condition: Condition, original: Mapping[str, Cell]) -> Cell:
    """Return the cell of retrieval and distances that keeps no embeddings, for conditions of which there are many."""
    space = shared.reading("space", condition, _of_evaluation(shared))
    return replace(space, needs={**space.needs, schema.ORIGINAL: original["embeddings"]})


def _of_evaluation(shared: _Shared) -> dict[str, Any]:
    evaluation = shared.corpora.evaluation
    return {"corpus": evaluation.fingerprint(), "languages": evaluation.languages, "layer": shared.config.layer}


def _stream(seed: int, use: str) -> int:
    """Return a seed for one use, so that no two uses share their random numbers."""
    return int(np.random.SeedSequence([seed, *use.encode()]).generate_state(1)[0])


def _paraphrase(shared: _Shared, condition: Condition, original: Mapping[str, Cell]) -> Iterator[Cell]:
    pairs = {code: corpus.fingerprint() for code, corpus in shared.corpora.paraphrases.items()}
    parameters = {"corpus": pairs, "layer": shared.config.layer}
    embeddings = shared.reading("paraphrase embeddings", condition, parameters)
    yield embeddings
    before = original.get("paraphrase embeddings", embeddings)
    needs = {"original": before} if condition is ORIGINAL else {"original": before, "edited": embeddings}
    yield Cell("paraphrase", {"languages": list(pairs)}, condition, needs)


def _bitext(shared: _Shared, condition: Condition) -> Iterator[Cell]:
    pairs = shared.corpora.bitext
    fingerprints = [[name, code, corpus.fingerprint()] for (name, code), corpus in pairs.items()]
    parameters = {"corpora": fingerprints, "layer": shared.config.layer}
    embeddings = shared.reading("bitext embeddings", condition, parameters)
    yield embeddings
    yield Cell("bitext", {}, condition, {"embeddings": embeddings})


def _generation(shared: _Shared, condition: Condition) -> Iterator[Cell]:
    settings = shared.config.generation.model_dump()
    identifier, _ = settings.pop("identifier"), settings.pop("prompts")
    texts = shared.reading("texts", condition, settings)
    yield texts
    languages = [condition.target] if condition.target else list(shared.config.targets)
    judged = {"identifier": identifier, "languages": languages}
    yield Cell("generation", judged, condition, {"texts": texts})
    if shared.corpora.prompts and not condition.swept:
        read = {code: corpus.fingerprint() for code, corpus in shared.corpora.prompts.items()}
        sampled = {name: value for name, value in settings.items() if name not in ("texts", "seeds")}
        continued = shared.reading(
            "continuations", condition, {**sampled, "prompts": read, "seed": settings["seeds"][0]}
        )
        yield continued
        yield Cell("forcing", judged, condition, {"continuations": continued})


def _perplexity(shared: _Shared, condition: Condition) -> Iterator[Cell]:
    section = shared.config.perplexity
    settings = {"tokens": section.tokens, "stride": section.stride, "window": section.window}
    alone = condition.target and not section.every_target
    for target in [str(condition.target)] if alone else shared.config.targets:
        if target in shared.corpora.texts:
            parameters = {"text": shared.corpora.texts[target].fingerprint(), **settings}
            yield shared.reading("perplexity", condition, parameters, target)


def once(cells: Iterable[Cell]) -> list[Cell]:
    """Return the cells without those whose key an earlier one has."""
    found: dict[str, Cell] = {}
    for cell in cells:
        found.setdefault(cell.key, cell)
    return list(found.values())


def pretrained_languages(config: StudyConfig) -> frozenset[str] | None:
    """Return the languages that the model of a study was pre-trained on, or None where nobody says."""
    if config.pretrained_languages is not None:
        return frozenset(config.pretrained_languages)
    return seen_languages(config.model)
