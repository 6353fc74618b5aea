"""Bitext as mteb has it: all pairs of languages in one table, told apart by its column `lang`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from interlingua.corpora.checks import require_text
from interlingua.corpora.hub import read_table
from interlingua.corpora.pairs import PairCorpus, line_by_line
from interlingua.corpora.source import CorpusSource
from interlingua.errors import CorpusError, LanguageError

ENGLISH = "eng_Latn"


def read_bitext(source: CorpusSource, split: str, languages: Sequence[str], names: Mapping[str, str]) -> PairCorpus:
    """Read the pairs of one language with English.

    Args:
        source: The data set.
        split: Its split.
        languages: The other language, perhaps with English.
        names: What the column `lang` has for each language's pair, such as `deu-eng`.

    Raises:
        LanguageError: It is not one language with English, or the corpus lacks it.
    """
    language = other_than_english(source, languages)
    columns = ["sentence1", "sentence2"]
    table = read_table(source, None, source.require_split(split), [*columns, "lang"])
    rows = [row for row in table.to_pylist() if row["lang"] == names[language]]
    if not rows:
        raise CorpusError(f"corpus '{source.name}' ({source.repository} at {source.revision}) has no {names[language]}")
    left, right = (require_text(f"{source.name}, {column}", (row[column] for row in rows)) for column in columns)
    return line_by_line(source.name, split, (language, ENGLISH), left, right)


def other_than_english(source: CorpusSource, languages: Sequence[str]) -> str:
    """Return the one language that is asked for beside English.

    Raises:
        LanguageError: None or several are, or the corpus lacks it.
    """
    others = [code for code in languages if code != ENGLISH]
    if len(others) != 1 or len(languages) > 2:
        raise LanguageError(f"corpus '{source.name}' has pairs of a language with English: ask for one other language")
    return source.require_language(others[0])
