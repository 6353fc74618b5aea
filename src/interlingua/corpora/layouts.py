"""What a folder holds, by the names of its files: the layouts in which the known corpora come."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from interlingua.corpora.bucc_files import gold_files, read_gold_file
from interlingua.corpora.folder import files_by_language, shown, splits_of
from interlingua.corpora.lines import read_lines, read_text
from interlingua.corpora.pairs import ONLY_SPLIT, PairCorpus, line_by_line
from interlingua.corpora.paraphrase_files import read_paraphrases
from interlingua.corpora.source import ENGLISH, Shape
from interlingua.corpora.text import TextCorpus
from interlingua.corpora.text_files import read_text_corpus
from interlingua.errors import CorpusError, LanguageError
from interlingua.languages import language_of_name, parse_language

PAIR_FILE = re.compile(r"([\w.-]+\.)?(?P<left>[A-Za-z_]+)-(?P<right>[A-Za-z_]+)\.(?P<side>[A-Za-z_]+?)(\.txt)?")
Pair = tuple[str, str]


def shape_of(folder: Path) -> Shape:
    """Tell the shape of the corpus in a folder.

    Raises:
        CorpusError: It holds no known corpus.
    """
    if gold_files(folder) or pair_files(folder) or paraphrase_files(folder):
        return "pairs"
    if splits_of(folder):
        return "parallel"
    texts = shown(folder.glob("*.txt"))
    if not texts:
        raise CorpusError(
            f"'{folder}' holds no known corpus: it needs <split>/<code>.txt, <code>.txt, <a>-<b>.<a>.txt and "
            "<a>-<b>.<b>.txt, <a>-<b>.<split>.gold, or <code>.tsv"
        )
    # One file alone with an empty line is a slip in a parallel corpus, which its loader must report.
    empty_lines = all("\n\n" in read_text(path) for path in texts)
    return "text" if empty_lines else "parallel"


def read_pair_folder(folder: Path, split: str | None, languages: Sequence[str]) -> PairCorpus:
    """Read one pair of sides from a folder of pairs: bitext in the layouts of Tatoeba and BUCC, or paraphrases.

    Args:
        folder: Holds `<a>-<b>.<a>.txt` and `<a>-<b>.<b>.txt`; or BUCC's `<a>-<b>.<split>.gold`, `.<a>` and `.<b>`, each
            perhaps with `.tsv`; or paraphrases as `<code>.tsv` or `<code>/<split>*.tsv`.
        split: The split; `None` where the folder has one only.
        languages: One code, for paraphrases or for a pair with English; two codes, left and right; or none where the
            folder has one pair.

    Raises:
        CorpusError: The folder has no such split, or a file is malformed.
        LanguageError: The folder has no such pair.
    """
    pair = _choose(folder, pairs_of(folder), languages)
    stored = pair if pair in pairs_of(folder) else pair[::-1]
    corpus = _read_pair(folder, stored, split)
    return corpus if stored == pair else corpus.swapped()


def pairs_of(folder: Path) -> tuple[Pair, ...]:
    """Return the pairs of languages that a folder has; a language with itself for paraphrases."""
    paraphrases = ((code, code) for code in paraphrase_files(folder))
    return (*gold_files(folder), *pair_files(folder), *paraphrases)


def pair_files(folder: Path) -> dict[Pair, dict[str, Path]]:
    """Return the files of a folder of bitext: for each pair of languages, by language."""
    found: dict[Pair, dict[str, Path]] = {}
    for path in shown(folder.iterdir()):
        match = PAIR_FILE.fullmatch(path.name)
        if match and match["side"] in (match["left"], match["right"]):
            pair = _language(path, match["left"]), _language(path, match["right"])
            sides, side = found.setdefault(pair, {}), _language(path, match["side"])
            if side in sides:
                raise CorpusError(f"'{sides[side]}' and '{path}' are both {side} of one pair; keep one of them")
            sides[side] = path
    return found


def paraphrase_files(folder: Path) -> dict[str, list[Path]]:
    """Return the tables of paraphrases in a folder, by language: `<code>.tsv`, or all of `<code>/*.tsv`."""
    found: dict[str, list[Path]] = {}
    for path in shown([*folder.glob("*.tsv"), *folder.glob("*/*.tsv")]):
        code = language_of_name(path.stem if path.parent == folder else path.parent.name)
        if code is not None:
            found.setdefault(code, []).append(path)
    return found


def read_text_folder(
    folder: Path, language: str, limit: int | None, characters: int | None, min_length: int
) -> TextCorpus:
    """Read the running text of one language from a folder with `<code>.txt`.

    Raises:
        LanguageError: The folder has no file of that language.
    """
    files = text_files(folder)
    if language not in files:
        raise LanguageError(f"'{folder}' has no text in {language}; it has {', '.join(files) or 'none'}")
    return read_text_corpus(files[language], str(folder), language, limit, characters, min_length)


def text_files(folder: Path) -> dict[str, Path]:
    """Return the text files of a folder by language."""
    return files_by_language(shown(folder.glob("*.txt")))


def _read_pair(folder: Path, pair: Pair, split: str | None) -> PairCorpus:
    if pair in (gold := gold_files(folder)):
        return read_gold_file(_only(folder, gold[pair], split), str(folder))
    if pair in (files := pair_files(folder)):
        lacking = [code for code in pair if code not in files[pair]]
        if lacking:
            raise CorpusError(f"'{folder}' has one side of {'-'.join(pair)} only; {lacking[0]} is missing")
        _require_no_split(folder, split)
        left, right = (read_lines(files[pair][code]) for code in pair)
        return line_by_line(str(folder), ONLY_SPLIT, pair, left, right)
    tables = paraphrase_files(folder)[pair[0]]
    if tables[0].parent == folder:
        _require_no_split(folder, split)
        return read_paraphrases(tables[0], str(folder), ONLY_SPLIT, pair[0])
    by_split = {path.stem.split("_")[0]: path for path in tables}  # as test_2k
    if split is None and ONLY_SPLIT in by_split:
        split = ONLY_SPLIT
    path = _only(folder, by_split, split)
    return read_paraphrases(path, str(folder), path.stem.split("_")[0], pair[0])


def _choose(folder: Path, pairs: Sequence[Pair], languages: Sequence[str]) -> Pair:
    if not pairs:
        raise CorpusError(f"'{folder}' holds no pairs of sentences")
    if len(languages) > 2:
        raise LanguageError(f"a pair has two languages at most, not {', '.join(languages)}")
    if not languages and len(pairs) == 1:
        return pairs[0]
    seconds = languages[1:] or (*languages, ENGLISH)
    for pair in ((code, second) for code in languages[:1] for second in seconds):
        if pair in pairs or pair[::-1] in pairs:
            return pair
    listed = ", ".join(left if left == right else f"{left}-{right}" for left, right in pairs)
    problem = (
        f"has no pair {'-'.join(languages)}; it has" if languages else "has several pairs; name the languages of one:"
    )
    raise LanguageError(f"'{folder}' {problem} {listed}")


def _require_no_split(folder: Path, split: str | None) -> None:
    if split not in (None, ONLY_SPLIT):
        raise CorpusError(f"'{folder}' has no splits, so no '{split}'; leave it out")


def _only(folder: Path, by_split: dict[str, Path], split: str | None) -> Path:
    if split is None and len(by_split) == 1:
        return next(iter(by_split.values()))
    if split is None:
        raise CorpusError(f"'{folder}' has several splits; name one of {', '.join(by_split)}")
    if split not in by_split:
        raise CorpusError(f"'{folder}' has no split '{split}'; it has {', '.join(by_split)}")
    return by_split[split]


def _language(path: Path, text: str) -> str:
    try:
        return parse_language(text)
    except LanguageError as error:
        raise LanguageError(f"'{path}' is not named for a language: {error}") from None
