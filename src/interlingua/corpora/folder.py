"""Corpora in folders: `<split>/<code>.txt`, or `<code>.txt` where there are no splits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from interlingua.corpora.parallel import ParallelCorpus
from interlingua.errors import CorpusError, LanguageError
from interlingua.languages import parse_language

PROBE_SPLIT = "dev"
EVALUATION_SPLIT = "devtest"


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
    half = len(whole) // 2
    halves = {PROBE_SPLIT: slice(0, half), EVALUATION_SPLIT: slice(half, None)}
    if split not in halves:
        raise CorpusError(f"'{folder}' has no splits; ask for '{PROBE_SPLIT}' or '{EVALUATION_SPLIT}', its two halves")
    if half == 0:
        raise CorpusError(f"'{folder}' has one line a language, too few to be halved into probe and evaluation")
    sentences = {code: lines[halves[split]] for code, lines in whole.sentences.items()}
    return ParallelCorpus(name, split, sentences)


def has_splits(folder: Path) -> bool:
    """Tell whether a corpus folder keeps its text in one sub-folder per split."""
    return (folder / PROBE_SPLIT).is_dir() or not any(folder.glob("*.txt"))


def _split_folder(folder: Path, split: str) -> Path:
    splits = sorted({path.parent.name for path in folder.glob("*/*.txt")})
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


def read_lines(path: Path) -> tuple[str, ...]:
    """Read a text file, one sentence a line.

    Raises:
        CorpusError: It cannot be read, is not UTF-8, or is empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"cannot read '{path}': {error.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise CorpusError(f"'{path}' is not UTF-8: byte {error.start}, on line {line}") from None
    if not text.strip():
        raise CorpusError(f"'{path}' is empty; it needs one sentence a line")
    # Not str.splitlines: it also breaks at U+2028, U+0085 and the like, which occur inside sentences.
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    return tuple(line.strip() for line in lines)
