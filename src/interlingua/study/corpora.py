"""The corpora that the measures of a study read."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from interlingua.corpora import CorpusWarning, PairCorpus, ParallelCorpus, TextCorpus, load_bitexts, open_corpus
from interlingua.corpora.bitexts import Bitexts
from interlingua.errors import InputError, LanguageError
from interlingua.languages import PAPER_LANGUAGES, PAPER_PROBE_LANGUAGES, language_name
from interlingua.study.config import StudyConfig

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Corpora:
    """What a study reads.

    Attributes:
        probe: What experts are found on.
        evaluation: What is embedded for retrieval and geometry.
        texts: Running text of the targets that have some.
        prompts: What is continued, by language.
        paraphrases: Paraphrases by language.
        bitext: Pairs of a language with English, by the name of the corpus and the language.
    """

    probe: ParallelCorpus
    evaluation: ParallelCorpus
    texts: Mapping[str, TextCorpus]
    prompts: Mapping[str, TextCorpus]
    paraphrases: Mapping[str, PairCorpus]
    bitext: Bitexts

    def warnings(self) -> list[str]:
        """Return what was found when they were opened: a line for each kind of finding in a corpus and split."""
        found: dict[tuple[str, str, str], list[CorpusWarning]] = {}
        for corpus in self._all():
            for warning in corpus.warnings:
                found.setdefault((corpus.name, corpus.split, warning.kind), []).append(warning)
        return [_in_a_line(name, split, warnings) for (name, split, _), warnings in found.items()]

    def _all(self) -> Iterator[ParallelCorpus | TextCorpus | PairCorpus]:
        yield self.probe
        yield self.evaluation
        yield from self.texts.values()
        yield from self.prompts.values()
        yield from self.paraphrases.values()
        yield from self.bitext.values()


def _in_a_line(name: str, split: str, warnings: list[CorpusWarning]) -> str:
    others = {warning.part for warning in warnings[1:]} - {warnings[0].part}
    more = f", and more in {', '.join(sorted(others))}" if others else ""
    return f"corpus '{name}' ({split}): {warnings[0]}{more}; `interlingua corpus show {name}` lists them"


def load_corpora(config: StudyConfig) -> Corpora:
    """Load whatever the measures of a study read.

    Raises:
        InputError: A target is not in the corpus, or there are fewer than two languages.
        InterlinguaError: What the room `corpora` raises.
    """
    probe, evaluation = _parallel(config)
    if open_corpus(config.corpus).is_halved:
        logger.info(
            f"'{config.corpus}' has no splits: the first {len(probe)} lines of each language are the probe, the other "
            f"{len(evaluation)} are evaluated"
        )
    logger.info(
        f"Probe: {len(probe.languages)} languages x {len(probe)} sentences; evaluation: "
        f"{len(evaluation.languages)} x {len(evaluation)}"
    )
    return Corpora(
        probe,
        evaluation,
        _texts(config) if "perplexity" in config.measures else {},
        _prompts(config) if "generation" in config.measures else {},
        _paraphrases(config, evaluation) if "paraphrase" in config.measures else {},
        _bitext(config, evaluation) if "bitext" in config.measures else {},
    )


def _parallel(config: StudyConfig) -> tuple[ParallelCorpus, ParallelCorpus]:
    """Return the probe and the evaluation split, with the languages that the study uses."""
    source = open_corpus(config.corpus)
    probe = source.parallel("dev", limit=config.probe_limit or config.limit)
    evaluation = source.parallel("devtest", limit=config.limit).every(config.every)
    probed = config.probe_languages or _those_or_all(PAPER_PROBE_LANGUAGES, probe)
    absent = [code for code in config.targets if code not in probe.languages]
    if absent:
        raise LanguageError(
            f"cannot steer to {', '.join(absent)}: corpus '{config.corpus}' has {', '.join(probe.languages)}"
        )
    probed = tuple(dict.fromkeys([*probed, *config.targets]))
    measured = config.languages or _those_or_all(PAPER_LANGUAGES, evaluation)
    measured = tuple(dict.fromkeys([*measured, *config.targets]))
    if len(probed) < 2 or len(measured) < 2:
        raise InputError(f"a study needs at least two languages; corpus '{config.corpus}' gives {', '.join(measured)}")
    if min(len(probe), len(evaluation)) < 2:
        raise InputError(
            f"a study needs at least two sentences to probe and two to evaluate, not {len(probe)} and {len(evaluation)}"
        )
    return probe.only(probed), evaluation.only(measured)


def _those_or_all(wanted: tuple[str, ...], corpus: ParallelCorpus) -> tuple[str, ...]:
    return wanted if set(wanted) <= set(corpus.languages) else corpus.languages


def _texts(config: StudyConfig) -> dict[str, TextCorpus]:
    texts = {}
    source = open_corpus(config.perplexity.corpus)
    for target in config.targets:
        try:
            texts[target] = source.text(target, characters=config.perplexity.characters)
        except LanguageError:
            name = config.perplexity.corpus
            logger.warning(f"no perplexity for {language_name(target)}: corpus '{name}' has no text in it")
    return texts


def _prompts(config: StudyConfig) -> dict[str, TextCorpus]:
    if config.generation.prompts is None:
        return {}
    source = open_corpus(config.generation.prompts)
    return {code: source.text(code, min_length=1) for code in source.default_languages("text") or config.targets}


def _paraphrases(config: StudyConfig, evaluation: ParallelCorpus) -> dict[str, PairCorpus]:
    section = config.paraphrase
    source = open_corpus(section.corpus)
    codes = section.languages  # what is asked for by name must be there
    if codes is None:
        known = source.default_languages("pairs")
        codes = config.targets if known is None else tuple(code for code in known if code in evaluation.languages)
        if not codes:
            logger.warning(f"no paraphrases: corpus '{section.corpus}' has none in the languages that are measured")
    return {code: source.pairs(code, limit=section.limit or config.limit) for code in codes}


def _bitext(config: StudyConfig, evaluation: ParallelCorpus) -> Bitexts:
    section = config.bitext
    languages = section.languages  # what is asked for by name must be there
    return load_bitexts(
        section.corpora, languages or evaluation.languages, section.limit or config.limit,
        every_language=languages is not None,
    )  # fmt: skip
