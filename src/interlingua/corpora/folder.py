"""Corpora in folders: `<split>/<code>.txt`, or `<code>.txt` where there are no splits."""

from __future__ import annotations

import glob
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from interlingua.corpora.lines import read_lines
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.errors import CorpusError, LanguageError
from interlingua.languages import parse_language

PROBE_SPLIT = "dev"
EVALUATION_SPLIT = "devtest"
_REGION = re.compile(r"[-_]([A-Z]{2}|\d{3})$")
HALVES = (PROBE_SPLIT, EVALUATION_SPLIT)
"""What the halves of a corpus without splits are called."""


logger = logging.getLogger(__name__)


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


def shown(paths: Iterable[Path]) -> list[Path]:
    """Return paths in order, without hidden files (leading `.` or `~`)."""
    return sorted(path for path in paths if not path.name.startswith((".", "~")))


def unwrapped(folder: Path) -> Path:
    """Return the folder that a corpus is in where an archive wrapped it in another one, which holds nothing else."""
    inside = shown(folder.iterdir()) if folder.is_dir() else []
    wraps = len(inside) == 1 and inside[0].is_dir() and any(path.is_dir() for path in inside[0].iterdir())
    return inside[0] if wraps else folder


def has_splits(folder: Path) -> bool:
    """Tell whether a corpus folder keeps its text in one sub-folder per split."""
    return (folder / PROBE_SPLIT).is_dir() or not shown(folder.glob("*.txt"))


def splits_of(folder: Path) -> tuple[str, ...]:
    """Return the splits of a multi-parallel folder; none where it has no sub-folders of text."""
    if not has_splits(folder):
        return ()
    return tuple(path.name for path in shown(folder.glob("*")) if path.is_dir() and sentence_files(path))


def sentence_files(folder: Path) -> list[Path]:
    """Return the files of sentences in a folder: `<code>.txt`, or `<code>.<split>` in one named for the split."""
    return shown([*folder.glob("*.txt"), *folder.glob(f"*_*.{glob.escape(folder.name)}")])


def _split_folder(folder: Path, split: str) -> Path:
    splits = splits_of(folder)
    if not splits:
        raise CorpusError(f"'{folder}' holds no text: it needs <code>.txt, or <split>/<code>.txt, one sentence a line")
    if split not in splits:
        raise CorpusError(f"'{folder}' has no split '{split}'; it has {', '.join(splits)}")
    return folder / split


def read_unaligned(folder: Path) -> dict[str, tuple[str, ...]]:
    """Read `<code>.txt` for each language, a sentence a line, whose lines need not match; empty ones are left out.

    Raises:
        CorpusError: There is no such folder, it holds no text, or a file is empty or unreadable.
        LanguageError: A file is named for no language.
    """
    if not folder.is_dir():
        raise CorpusError(f"there is no folder '{folder}'")
    read = {code: read_lines(path) for code, path in files_by_language(sentence_files(folder)).items()}
    if not read:
        raise CorpusError(f"'{folder}' holds no text: it needs <code>.txt, one sentence a line")
    return {code: tuple(line for line in lines if line.strip()) for code, lines in read.items()}


def _read_languages(folder: Path) -> Mapping[str, tuple[str, ...]]:
    return {code: read_lines(path) for code, path in files_by_language(sentence_files(folder)).items()}


def files_by_language(paths: Iterable[Path]) -> dict[str, Path]:
    """Return files by the language that they are named for.

    Of the regional variants of one language the file without a region is taken: NTREX-128 has `eng`, and also `eng-GB`.

    Raises:
        CorpusError: Two files are of one language.
        LanguageError: A file is named for none.
    """
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(language_of_file(path), []).append(path)
    chosen = {}
    for code, files in found.items():
        plain = [path for path in files if not _REGION.search(path.stem)] if len(files) > 1 else files
        if len(plain) != 1:
            raise CorpusError(f"'{files[0]}' and '{files[1]}' are both {code}; keep one of them")
        chosen[code] = plain[0]
        if len(files) > 1:
            others = ", ".join(path.name for path in files if path not in plain)
            logger.warning("'%s' is taken for %s, and not %s", plain[0], code, others)
    return chosen


def language_of_file(path: Path) -> str:
    """Return the language that a file is named for: `spa_Latn.txt`, or as in NTREX-128 `newstest2019-ref.spa.txt`.

    Raises:
        LanguageError: It is named for none.
    """
    try:
        return parse_language(path.stem)
    except LanguageError as error:
        last = path.stem.rpartition(".")[2]
        if last != path.stem:
            return language_of_file(path.with_name(f"{last}{path.suffix}"))
        raise LanguageError(f"'{path}' is not named for a language: {error}") from None
