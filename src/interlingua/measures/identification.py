"""Which language a text is in: the share of texts in a language, and its posterior (paper, figure 3, top)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Protocol

import numpy as np
import pandas as pd

from interlingua.errors import InputError, LanguageError, MissingExtraError
from interlingua.languages import parse_language
from interlingua.progress import progress_bar

TEXTS_A_STEP = 64


class Identifier(Protocol):
    """Something that identifies the language of texts.

    Attributes:
        name: Its name and version.
        languages: The FLORES-200 codes of the languages that it tells apart.
    """

    name: str
    languages: tuple[str, ...]

    def posteriors(self, texts: Sequence[str]) -> np.ndarray:
        """Return the probability of each language for each text: float64 [texts, languages], rows that sum to 1."""
        ...


@dataclass(frozen=True)
class Identified:
    """What `identify` returns.

    Attributes:
        identifier: The name and version of what identified them.
        languages: The FLORES-200 codes that it knows.
        posteriors: The probability of each language for each text: float64 [texts, languages]. Rows sum to 1, or to 0
            for a text that is in no language: one without a letter in it, for example.
    """

    identifier: str
    languages: tuple[str, ...]
    posteriors: np.ndarray

    def table(self) -> pd.DataFrame:
        """Return the likeliest language of each text and its posterior; None and 0 for a text in no language."""
        best = self.posteriors.argmax(axis=1)
        posterior = self.posteriors[np.arange(len(best)), best]
        languages = [self.languages[i] if p > 0 else None for i, p in zip(best, posterior, strict=True)]
        return pd.DataFrame({"language": pd.Series(languages, dtype="str"), "posterior": posterior})


def identify(texts: Sequence[str], identifier: str | Identifier = "langid") -> Identified:
    """Identify the language of each text.

    Args:
        texts: The texts.
        identifier: `langid`, the paper's (Lui and Baldwin 2012: 97 languages, normalised probabilities), `lingua`
            (75 languages; extra `identify`), or an `Identifier`.

    Returns:
        The posterior of every language for each text; its `table` names the likeliest.

    Raises:
        InputError: There is no such identifier.
        MissingExtraError: `lingua` without the extra `identify`.

    Example:
        >>> identify(["El gato duerme en la casa.", "Die Katze schläft im Haus.", " "]).table().round(2)
           language  posterior
        0  spa_Latn       0.99
        1  deu_Latn       1.00
        2       NaN       0.00
    """
    if isinstance(texts, str):
        raise InputError("identify takes a list of texts, not one string")
    known = _load(identifier) if isinstance(identifier, str) else identifier
    posteriors = np.zeros((len(texts), len(known.languages)))
    with progress_bar("Identifying languages", total=len(texts), unit="text") as bar:
        for start in range(0, len(texts), TEXTS_A_STEP):
            step = texts[start : start + TEXTS_A_STEP]
            posteriors[start : start + len(step)] = known.posteriors(step)
            bar.update(len(step))
    posteriors[[not text.strip() for text in texts]] = 0
    return Identified(known.name, known.languages, posteriors)


def language_shares(
    identified: Identified, languages: Sequence[str], seeds: Sequence[int] | None = None
) -> pd.DataFrame:
    """Measure how much text is in a language: both readings of "the probability of the text generated in the target".

    Section 3.3 and figure 3 (top) of the paper. Its text says probability, its figure accuracy, so both are measured:
    `share`, the share of texts that are identified as the language, and `posterior`, the mean of its probability.

    Args:
        identified: The texts' languages.
        languages: The languages to measure.
        seeds: The seed of each text, for one row per seed; by default all texts are one sample.

    Returns:
        One row per seed and language: (seed), n, identifier, language, share, share_se, posterior, posterior_se. The
        standard errors are those of means of n independent texts, and NaN for one text.

    Raises:
        LanguageError: The identifier does not know a language.

    Example:
        >>> identified = identify(["El gato duerme en la casa.", "Die Katze schläft im Haus."])
        >>> language_shares(identified, ["de"])[["n", "language", "share", "share_se"]]
           n  language  share  share_se
        0  2  deu_Latn    0.5       0.5
    """
    if seeds is not None and len(seeds) != len(identified.posteriors):
        raise InputError(f"{len(seeds)} seeds for {len(identified.posteriors)} texts; each text has one")
    best = identified.table().language.to_numpy()
    rows = []
    for seed in [None] if seeds is None else dict.fromkeys(seeds):
        selected = np.full(len(best), True) if seed is None else np.asarray(seeds) == seed
        for code in map(parse_language, languages):
            posterior = identified.posteriors[selected, _column(identified, code)]
            share = (best[selected] == code).astype(float)
            rows.append(
                {
                    **({} if seed is None else {"seed": seed}),
                    "n": int(selected.sum()),
                    "identifier": identified.identifier,
                    "language": code,
                    "share": share.mean() if len(share) else np.nan,
                    "share_se": _standard_error(share),
                    "posterior": posterior.mean() if len(posterior) else np.nan,
                    "posterior_se": _standard_error(posterior),
                }
            )
    return pd.DataFrame(rows)


def main_languages(identified: Identified, most: int) -> pd.DataFrame:
    """Return `language_shares` of the languages that most texts are in, no more than `most` of them."""
    return language_shares(identified, list(identified.table().language.value_counts().index[:most]))


def _column(identified: Identified, code: str) -> int:
    if code not in identified.languages:
        raise LanguageError(
            f"{identified.identifier} cannot identify {code}; it knows {', '.join(sorted(identified.languages))}"
        )
    return identified.languages.index(code)


def _standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


class Langid:
    """The identifier of the paper: a naive Bayes classifier over byte n-grams (Lui and Baldwin 2012)."""

    def __init__(self) -> None:
        from langid.langid import LanguageIdentifier, model

        self.name = f"langid {version('langid')}"
        self._identifier = LanguageIdentifier.from_modelstring(model, norm_probs=True)
        self._labels, self.languages = _codes_of(self._identifier.nb_classes)

    def posteriors(self, texts: Sequence[str]) -> np.ndarray:
        """Return normalised probabilities; those of the labels `nb` and `no`, which are one language, are added."""
        return _by_language([dict(self._identifier.rank(text)) for text in texts], self._labels, self.languages)


class Lingua:
    """Lingua: n-grams of one to five letters, and rules for letters that few languages have.

    The modern identifier: its models come in its wheel, under the Apache licence, it is made for short texts, and it
    gives probabilities of its 75 languages, all those of the paper among them.
    """

    def __init__(self) -> None:
        try:
            from lingua import LanguageDetectorBuilder
        except ImportError:
            raise MissingExtraError("the identifier 'lingua'", "identify") from None
        self.name = f"lingua {version('lingua-language-detector')}"
        self._detector = LanguageDetectorBuilder.from_all_languages().build()
        known = self._detector.compute_language_confidence_values("")
        self._labels, self.languages = _codes_of(self._label(value.language) for value in known)

    def posteriors(self, texts: Sequence[str]) -> np.ndarray:
        """Return Lingua's confidences, which sum to 1, or to 0 for a text without letters."""
        answers = self._detector.compute_language_confidence_values_in_parallel(list(texts))
        rows = [{self._label(value.language): value.value for value in answer} for answer in answers]
        return _by_language(rows, self._labels, self.languages)

    @staticmethod
    def _label(language) -> str:
        return language.iso_code_639_3.name.lower()


IDENTIFIERS: dict[str, Callable[[], Identifier]] = {"langid": Langid, "lingua": Lingua}


@cache
def _load(name: str) -> Identifier:
    if name not in IDENTIFIERS:
        raise InputError(f"unknown identifier '{name}'; use {', '.join(IDENTIFIERS)}")
    return IDENTIFIERS[name]()


def _codes_of(labels) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the FLORES-200 code of each of an identifier's labels, and the codes, sorted."""
    codes = {label: parse_language(label) for label in labels}
    return codes, tuple(sorted(set(codes.values())))


def _by_language(rows: list[dict[str, float]], codes: dict[str, str], languages: tuple[str, ...]) -> np.ndarray:
    column = {code: i for i, code in enumerate(languages)}
    result = np.zeros((len(rows), len(languages)))
    for values, row in zip(result, rows, strict=True):
        for label, probability in row.items():
            values[column[codes[label]]] += probability
    return result
