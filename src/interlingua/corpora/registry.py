"""The corpora known by name, and the loaders, which take a name, a path or a data set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from interlingua.corpora import layouts, tables
from interlingua.corpora.bucc import BUCC2018, BUCC2018_GOLD
from interlingua.corpora.checks import require_limit
from interlingua.corpora.flores import FLORES200, FLORES_PLUS
from interlingua.corpora.folder import EVALUATION_SPLIT, PROBE_SPLIT, halved, has_splits, read_folder
from interlingua.corpora.ntrex import NTREX128
from interlingua.corpora.pairs import PairCorpus
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.pawsx import PAWSX
from interlingua.corpora.source import CorpusSource, Shape
from interlingua.corpora.starter import STARTER
from interlingua.corpora.tatoeba import TATOEBA
from interlingua.corpora.text import MIN_LENGTH, TextCorpus
from interlingua.corpora.text_files import read_text_corpus
from interlingua.corpora.wikipedia import WIKIPEDIA
from interlingua.errors import CorpusError
from interlingua.languages import parse_language, parse_languages

_SOURCES = (STARTER, FLORES200, FLORES_PLUS, NTREX128, TATOEBA, BUCC2018, BUCC2018_GOLD, PAWSX, WIKIPEDIA)
CORPORA = {source.name: source for source in _SOURCES}

_LOADERS: dict[Shape, str] = {"parallel": "load_corpus", "pairs": "load_pairs", "text": "load_text"}


def load_corpus(
    name: Any,
    split: str = PROBE_SPLIT,
    *,
    languages: Sequence[str] | None = None,
    limit: int | None = None,
    drop_duplicates: bool = False,
) -> ParallelCorpus:
    """Load one split of a parallel corpus, checked.

    A corpus without splits is halved: the first half of its lines is the split `dev`, the second `devtest`.

    Args:
        name: A registered name (`interlingua list corpora`); the path of a folder that holds `<split>/<code>.txt` or
            `<code>.txt`; the path of a `.csv`, `.tsv`, `.jsonl`, `.parquet` or `.tmx` file with a column a language; or
            a data set of the library `datasets` with such columns.
        split: `dev` to find experts on, `devtest` to measure on, or another split that the corpus has.
        languages: Keep these only; any code or name of a language. By default all of a local corpus, and the paper's 22
            and Chinese of one on the Hub.
        limit: Keep the first `limit` sentences of each language.
        drop_duplicates: Leave out lines that repeat an earlier one in any language, in every language at once.

    Returns:
        Sentences by language, entry i the same in each; what was found when they were checked is in `warnings`.

    Raises:
        CorpusError: There is no such corpus, or its text is empty, unreadable or not aligned.
        LanguageError: A language is unknown, or the corpus lacks it.

    Example:
        >>> corpus = load_corpus("starter", split="devtest", languages=["Spanish", "ja"])
        >>> corpus.languages, len(corpus)
        (('spa_Latn', 'jpn_Jpan'), 100)
    """
    require_limit(limit)
    wanted = parse_languages(languages) if languages is not None else None
    source = _source(name, "parallel")
    if source is not None and source.read_parallel is not None:
        codes = wanted or source.default_languages("parallel")
        whole = len(source.splits) == 1 and split not in source.splits
        corpus = source.read_parallel(source, source.splits[0] if whole else split, codes)
        corpus = halved(corpus, split) if whole else corpus
    elif tables.is_dataset(name) or is_table(name):
        in_splits = hasattr(name, "keys")
        title, columns = tables.read_columns(name, split)
        corpus = tables.parallel_of(title, split, columns, wanted or ())
        corpus = corpus if in_splits else halved(corpus, split)
    elif Path(name).is_dir():
        _require_no_pairs(Path(name))
        corpus = read_folder(Path(name), split)
    else:
        raise _no_such_corpus(name)
    if wanted is not None:
        corpus = corpus.only(wanted)
    if drop_duplicates:
        corpus = corpus.without_duplicates()
    return corpus.first(limit)


def load_pairs(
    name: Any, *languages: str, split: str | None = None, limit: int | None = None, drop_duplicates: bool = False
) -> PairCorpus:
    """Load bitext of two languages or paraphrases of one, checked.

    Args:
        name: A registered name; the path of a folder in the layout of Tatoeba, BUCC or PAWS-X; the path of a table with
            the columns `sentence1` and `sentence2`, or with a column a language; or a data set of `datasets`.
        *languages: One language for paraphrases, or for its pair with English; two for a pair, in the order of the
            sides; none where the corpus has one pair.
        split: By default `test`, or the only one of a folder.
        limit: Keep the first `limit` pairs, and on each side as many distractors.
        drop_duplicates: Leave out pairs with a sentence that repeats an earlier one, and distractors. Of PAWS-X,
            repeats are always left out.

    Returns:
        Two sides and the gold pairs; what was left out is counted in `dropped`.

    Raises:
        CorpusError: There is no such corpus, or its text is empty, unreadable or not aligned.
        LanguageError: A language is unknown, or the corpus lacks the pair.

    Example:
        >>> paraphrases = load_pairs("starter", "German")
        >>> len(paraphrases), paraphrases.languages
        (100, ('deu_Latn', 'deu_Latn'))
    """
    require_limit(limit)
    codes = tuple(parse_language(language) for language in languages)
    source = _source(name, "pairs")
    if source is not None and source.read_pairs is not None:
        corpus = source.read_pairs(source, split or source.pair_split, codes)
        if len(codes) == 2 and corpus.languages == codes[::-1]:
            corpus = corpus.swapped()
    elif tables.is_dataset(name) or is_table(name):
        title, columns = tables.read_columns(name, split or "test")
        corpus = tables.pairs_of_table(title, split or "test", columns, codes)
    elif Path(name).is_dir():
        corpus = layouts.read_pair_folder(Path(name), split, codes)
    else:
        raise _no_such_corpus(name)
    if drop_duplicates:
        corpus = corpus.without_duplicates()
    return corpus.first(limit)


def load_text(
    name: Any,
    language: str,
    *,
    split: str | None = None,
    limit: int | None = None,
    characters: int | None = None,
    min_length: int = MIN_LENGTH,
) -> TextCorpus:
    """Load running text of one language as paragraphs, checked.

    Args:
        name: A registered name; the path of a folder with `<code>.txt`, or of a `.txt` file, a paragraph a line; the
            path of a table with a column `text`, or a data set of `datasets` with one.
        language: Any code or name of a language.
        split: Of a `datasets.DatasetDict`; by default `train`.
        limit: Read this many paragraphs at most.
        characters: Read no more paragraphs than reach this many characters. Of Wikipedia, which is streamed, 50 million
            where neither bound is given.
        min_length: Leave out, and count, paragraphs of fewer characters.

    Returns:
        Paragraphs; those that were left out are counted in `dropped`.

    Raises:
        CorpusError: There is no such corpus, or its text is empty or unreadable.
        LanguageError: The language is unknown, or the corpus lacks it.

    Example:
        >>> text = load_text("starter", "ja")
        >>> len(text), text.language, len(load_text("starter", "ja", limit=3))
        (20, 'jpn_Jpan', 3)
    """
    require_limit(limit)
    require_limit(characters)
    code = parse_language(language)
    source = _source(name, "text")
    if source is not None and source.read_text is not None:
        return source.read_text(source, code, limit, characters, min_length)
    if tables.is_dataset(name) or is_table(name):
        title, columns = tables.read_columns(name, split or "train")
        return tables.text_of_table(title, columns, code, limit, characters, min_length)
    if Path(name).is_dir():
        return layouts.read_text_folder(Path(name), code, limit, characters, min_length)
    if Path(name).is_file():
        return read_text_corpus(Path(name), str(name), code, limit, characters, min_length)
    raise _no_such_corpus(name)


def is_table(name: Any) -> bool:
    """Tell whether a name is the path of a file that is read as a table."""
    return isinstance(name, str | Path) and Path(name).suffix.lower() in tables.READERS and Path(name).is_file()


def is_halved(name: str | Path) -> bool:
    """Tell whether a corpus has no splits of its own, so that its halves are probe and evaluation."""
    source = CORPORA.get(name) if isinstance(name, str) else None
    if source is not None:
        return not {PROBE_SPLIT, EVALUATION_SPLIT} <= set(source.splits)
    return is_table(name) or not has_splits(Path(name))


def _source(name: Any, shape: Shape) -> CorpusSource | None:
    source = CORPORA.get(name) if isinstance(name, str) else None
    if source is not None and shape not in source.shapes:
        usable = ", ".join(_LOADERS[shape] for shape in source.shapes)
        raise CorpusError(f"corpus '{source.name}' is no {_TITLES[shape]}; load it with {usable}")
    return source


_TITLES: dict[Shape, str] = {"parallel": "multi-parallel corpus", "pairs": "corpus of pairs", "text": "running text"}


def _require_no_pairs(folder: Path) -> None:
    if layouts.pairs_of(folder) and not layouts.splits_of(folder):
        raise CorpusError(f"'{folder}' holds pairs of sentences, no multi-parallel corpus; load it with load_pairs")


def _no_such_corpus(name: Any) -> CorpusError:
    return CorpusError(
        f"there is no corpus and no folder '{name}'; registered corpora: {', '.join(CORPORA)}; a folder needs "
        f"<split>/<code>.txt or <code>.txt, a file must end in {', '.join(tables.READERS)}"
    )
