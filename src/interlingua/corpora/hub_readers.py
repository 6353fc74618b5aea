"""How the data sets of the Hugging Face Hub are read: one function for each way in which they are laid out."""

from __future__ import annotations

from collections.abc import Sequence

from interlingua.corpora.checks import require_text
from interlingua.corpora.hub import read_table
from interlingua.corpora.named import NamedSource
from interlingua.corpora.pairs import PairCorpus, line_by_line
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.paraphrase_files import from_labelled_rows
from interlingua.corpora.source import ENGLISH
from interlingua.errors import CorpusError, LanguageError


def read_columns(source: NamedSource, split: str, languages: Sequence[str]) -> ParallelCorpus:
    """Read a table with one column a language."""
    source.require_split(split)
    columns = {code: source.name_of(code) for code in languages}
    table = read_table(source, None, split, list(columns.values()))
    sentences = {
        code: require_text(f"{source.name}, {code}", table.column(column).to_pylist())
        for code, column in columns.items()
    }
    return ParallelCorpus(source.name, split, sentences)


def read_tables(source: NamedSource, split: str, languages: Sequence[str]) -> ParallelCorpus:
    """Read one table a language, aligned by the sentences' numbers."""
    source.require_split(split)
    sentences: dict[str, tuple[str, ...]] = {}
    expected: list[int] | None = None
    for code in languages:
        table = read_table(source, source.name_of(code), split, ["id", "text"])
        rows = dict(zip(table.column("id").to_pylist(), table.column("text").to_pylist(), strict=True))
        ids = sorted(rows)
        expected = expected or ids
        if ids != expected:
            raise CorpusError(
                f"corpus '{source.name}' ({split}): {code} has other sentences than {next(iter(sentences), code)}: "
                f"{len(set(ids) ^ set(expected))} numbers are in one of them only"
            )
        sentences[code] = require_text(f"{source.name}, {code}", (rows[number] for number in ids))
    return ParallelCorpus(source.name, split, sentences)


def read_bitext(source: NamedSource, split: str, languages: Sequence[str]) -> PairCorpus:
    """Read the pairs of one language with English from a table of all pairs, by its column `lang`."""
    language = _other_than_english(source, languages)
    columns = ["sentence1", "sentence2"]
    table = read_table(source, None, source.require_split(split), [*columns, "lang"])
    name = source.name_of(language)
    rows = [row for row in table.to_pylist() if row["lang"] == name]
    if not rows:
        raise CorpusError(f"corpus '{source.name}' ({source.repository} at {source.revision}) has no {name}")
    left, right = (require_text(f"{source.name}, {column}", (row[column] for row in rows)) for column in columns)
    return line_by_line(source.name, split, (language, ENGLISH), left, right)


def read_comparable(source: NamedSource, split: str, languages: Sequence[str]) -> PairCorpus:
    """Read the two texts of one language and English, distractors included, and the gold pairs: a single row."""
    source.require_split(split)
    language = _other_than_english(source, languages)
    columns = ["sentence1", "sentence2", "gold"]
    row = read_table(source, source.name_of(language), split, columns).slice(0, 1).to_pylist()[0]
    left, right = (require_text(f"{source.name}, {column}", row[column]) for column in columns[:2])
    gold = tuple((i - 1, j - 1) for i, j in row["gold"])  # counted from 1 there
    return PairCorpus(source.name, split, (language, ENGLISH), left, right, gold)


def read_labelled(source: NamedSource, split: str, languages: Sequence[str]) -> PairCorpus:
    """Read the paraphrases of one language from pairs with a label."""
    source.require_split(split)
    if len(set(languages)) != 1:
        raise LanguageError(
            f"corpus '{source.name}' has paraphrases: ask for one language of {', '.join(source.languages)}"
        )
    table = read_table(source, source.name_of(languages[0]), split, ["sentence1", "sentence2", "label"])
    return from_labelled_rows(table.to_pylist(), source.name, split, languages[0])


def _other_than_english(source: NamedSource, languages: Sequence[str]) -> str:
    """Return the one language that is asked for besides English."""
    others = [code for code in languages if code != ENGLISH]
    if len(others) != 1 or len(languages) > 2:
        raise LanguageError(f"corpus '{source.name}' has pairs of a language with English: ask for one other language")
    source.name_of(others[0])  # which raises where it lacks the language
    return others[0]
