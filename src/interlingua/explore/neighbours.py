"""Who finds whom among a visitor's sentences: as the model is, steered, with random neurons, and behind an aligner."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from interlingua.alignment import align
from interlingua.alignment.held_out import FOLDS
from interlingua.analysis.schema import ORIGINAL, RANDOM, STEERED
from interlingua.errors import InputError, LanguageError
from interlingua.explore.edit import Choice, control_of, edit_of
from interlingua.languages import parse_language
from interlingua.measures import embed, identify, projection

if TYPE_CHECKING:
    from interlingua.alignment import Aligner
    from interlingua.explore.session import Session

ALIGNED = "aligned"
MOST_SENTENCES = 200
LONGEST_SENTENCE = 10_000
FEWEST_FOR_UMAP = 40
"""Points; of fewer UMAP makes much of little, and the first two principal components are shown."""

_NAMED = re.compile(r"([a-z]{2,3}(?:_[A-Z][a-z]{3})?):\s+(.*)")


@dataclass(frozen=True)
class Sentence:
    """One line of a visitor's text.

    Attributes:
        text: The sentence.
        language: Its FLORES-200 code; empty where it is not known.
        meaning: The number of its paragraph: sentences that stand together translate each other.
    """

    text: str
    language: str
    meaning: int


@dataclass(frozen=True)
class Neighbours:
    """What each sentence finds in one space.

    Attributes:
        nearest: The row of the nearest other sentence by cosine: int64 [sentences].
        cosine: Its cosine similarity: float64 [sentences].
        points: Where the sentences lie on a map: float64 [sentences, 2].
    """

    nearest: np.ndarray
    cosine: np.ndarray
    points: np.ndarray


def read_sentences(text: str) -> list[Sentence]:
    r"""Take a text apart: a sentence a line, and a blank line between sentences of different meaning.

    A line may name its language, as in `es: Llueve.`; others are identified.

    Raises:
        InputError: There are fewer than three sentences, or too many, or one is too long.

    Example:
        >>> read_sentences("en: Rain.\nes: Lluvia.\n\nde: Ja.")[1:]
        [Sentence(text='Lluvia.', language='spa_Latn', meaning=0), Sentence(text='Ja.', language='deu_Latn', meaning=1)]
    """
    paragraphs = [part.splitlines() for part in re.split(r"\n\s*\n", text)]
    paragraphs = [[line.strip() for line in lines if line.strip()] for lines in paragraphs]
    lines = [(line, i) for i, part in enumerate(filter(None, paragraphs)) for line in part]
    if len(lines) < 3:
        raise InputError(f"there are {len(lines)} sentences; three or more are needed, one a line")
    if len(lines) > MOST_SENTENCES:
        raise InputError(f"there are {len(lines)} sentences; {MOST_SENTENCES} are the most")
    if (longest := max(len(line) for line, _ in lines)) > LONGEST_SENTENCE:
        raise InputError(f"a sentence has {longest:,} characters; {LONGEST_SENTENCE:,} are the most")
    named = [_named(line) for line, _ in lines]
    identified = identify([sentence for sentence, _ in named]).table().language
    return [
        Sentence(sentence, language or ("" if pd.isna(guess) else str(guess)), meaning)
        for (sentence, language), guess, (_, meaning) in zip(named, identified, lines, strict=True)
    ]


def _named(line: str) -> tuple[str, str]:
    """Return a line without the language that it may begin with, and that language."""
    found = _NAMED.fullmatch(line)
    try:
        return (found[2], parse_language(found[1])) if found else (line, "")
    except LanguageError:
        return line, ""


def find_neighbours(
    session: Session, choice: Choice, sentences: Sequence[Sentence], *, seed: int = 0
) -> dict[str, Neighbours]:
    """Find the nearest sentence of each in every space: original, steered, with the control, and aligned.

    Args:
        session: The model.
        choice: The edit.
        sentences: The sentences.
        seed: Of the random neurons and of UMAP.

    Raises:
        InterlinguaError: The choice is not possible, or a sentence has no embedding.
    """
    texts = [sentence.text for sentence in sentences]
    edits = {ORIGINAL: None, STEERED: edit_of(session, choice), RANDOM: control_of(session, choice, seed)}
    found = {}
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # long sentences are cut, as in a study
        for name, edit in edits.items():
            with session.running(edit) as model:
                found[name] = _neighbours(embed(model, texts), seed)
        aligner = aligner_of(session)
        with session.running():
            found[ALIGNED] = _neighbours(_aligned(aligner, sentences), seed)
    return found


def _aligned(aligner: Aligner, sentences: Sequence[Sentence]) -> np.ndarray:
    """Return aligned embeddings; one with a mean for each language is given the languages that it knows."""
    spoken = [line.language if line.language in aligner.alignment.languages else None for line in sentences]
    vectors: dict[int, np.ndarray] = {}
    for language in dict.fromkeys(spoken):
        rows = [row for row, code in enumerate(spoken) if code == language]
        vectors.update(zip(rows, aligner.encode([sentences[row].text for row in rows], language), strict=True))
    return np.stack([vectors[row] for row in range(len(sentences))])


def aligner_of(session: Session) -> Aligner:
    """Return the session's aligner, or fit one: weighted WCCN, at the best of three layers in the middle of the model.

    `align` alone also searches all middle layers and their sums.
    """
    if session.aligner is not None:
        return session.aligner

    def fit() -> Aligner:
        blocks = session.model.hf.config.get_text_config().num_hidden_layers
        layers = sorted({max(1, round(blocks * share)) for share in (0.35, 0.5, 0.65)})
        folds = min(FOLDS, len(session.probe) // 2)
        with session.running() as model:
            return align(model, session.probe, layers=layers, max_blocks=1, folds=folds)

    return session.memory.get_or_make("aligner", fit)


def share_found(sentences: Sequence[Sentence], neighbours: Neighbours) -> tuple[int, int]:
    """Return how many sentences find a translation, and how many have one."""
    meanings = np.array([sentence.meaning for sentence in sentences])
    has_one = np.bincount(meanings)[meanings] > 1
    hits = (meanings[neighbours.nearest] == meanings) & has_one
    return int(hits.sum()), int(has_one.sum())


def _neighbours(vectors: np.ndarray, seed: int) -> Neighbours:
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -np.inf)
    nearest = cosine.argmax(axis=1)
    return Neighbours(nearest, cosine[np.arange(len(nearest)), nearest], _places(unit, seed))


def _places(unit: np.ndarray, seed: int) -> np.ndarray:
    if len(unit) >= FEWEST_FOR_UMAP:
        return projection({"all": {"all": unit}}, seed=seed)[["x", "y"]].to_numpy()
    centred = unit - unit.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    return left[:, :2] * singular[:2]
