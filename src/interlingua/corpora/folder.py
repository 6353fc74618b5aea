"""Corpora in folders: `<split>/<code>.txt`, or `<code>.txt` where there are no splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from interlingua.corpora.lines import read_lines
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.errors import CorpusError, LanguageError
from interlingua.languages import parse_language

PROBE_SPLIT = "dev"
EVALUATION_SPLIT = "devtest"
HALVES = (PROBE_SPLIT, EVALUATION_SPLIT)
"""What the halves of a corpus without splits are called."""


def read_folder(folder: Path, split: str, name: str | None = None) -> ParallelCorpus:
    """Read one split of a multi-parallel corpus from a folder.

    A folder without sub-folders of text has no splits: the first half of its lines then is the split `dev`, which
    experts are found on, and the second half `devtest`, which is measured on.

    Args:
        folder: Holds `<split>/<code>.txt`, or `<code>.txt`; UTF-8, one sentence a line. The file name is any code
            or name of a language that `parse_language` knows.
        split: The split to read.
        name: What to call the corpus; by default the path of the folder.

    Raises:
        CorpusError: The folder, the split or its text is missing, unreadable, empty or not aligned.
    """
    name = name or str(folder)
    if not folder.is_dir():
        raise CorpusError(f"there is no folder '{folder}'")
    if has_splits(folder):
        return ParallelCorpus(name, split, _read_languages(_split_folder(folder, split)))
    whole = ParallelCorpus(name, split, _read_languages(folder))
    return halved(whole, split)


def halved(whole: ParallelCorpus, split: str) -> ParallelCorpus:
    """Return one half of a corpus that has no splits: the first is `dev`, the second `devtest`.

    Raises:
        CorpusError: Another split is asked for, or there is only one line.
    """
    half = len(whole) // 2
    halves = {PROBE_SPLIT: slice(0, half), EVALUATION_SPLIT: slice(half, None)}
    if split not in halves:
        raise CorpusError(
            f"'{whole.name}' has no splits; ask for '{PROBE_SPLIT}' or '{EVALUATION_SPLIT}', its two halves"
        )
    if half == 0:
        raise CorpusError(f"'{whole.name}' has one line a language, too few to be halved into probe and evaluation")
    sentences = {code: lines[halves[split]] for code, lines in whole.sentences.items()}
    return replace(whole, split=split, sentences=sentences)


def has_splits(folder: Path) -> bool:
    """Tell whether a corpus folder keeps its text in one sub-folder per split."""
    return (folder / PROBE_SPLIT).is_dir() or not any(folder.glob("*.txt"))


def splits_of(folder: Path) -> tuple[str, ...]:
    """Return the splits of a multi-parallel folder; none where it has no sub-folders of text."""
    return tuple(sorted({path.parent.name for path in folder.glob("*/*.txt")})) if has_splits(folder) else ()


def _split_folder(folder: Path, split: str) -> Path:
    splits = splits_of(folder)
    if not splits:
        raise CorpusError(f"'{folder}' holds no text: it needs <code>.txt, or <split>/<code>.txt, one sentence a line")
    if split not in splits:
        raise CorpusError(f"'{folder}' has no split '{split}'; it has {', '.join(splits)}")
    return folder / split


def _read_languages(folder: Path) -> Mapping[str, tuple[str, ...]]:
    sentences: dict[str, tuple[str, ...]] = {}
    origin: dict[str, Path] = {}
    for path in sorted(folder.glob("*.txt")):
        try:
            code = parse_language(path.stem)
        except LanguageError as error:
            raise LanguageError(f"'{path}' is not named for a language: {error}") from None
        if code in sentences:
            raise CorpusError(f"'{origin[code]}' and '{path}' are both {code}; keep one of them")
        sentences[code], origin[code] = read_lines(path), path
    return sentences
