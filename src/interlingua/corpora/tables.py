"""A user's tables: CSV, JSON lines, Parquet and TMX files, and objects of the library `datasets`."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from interlingua.corpora.checks import half_surrogate, is_blank, require_text
from interlingua.corpora.lines import read_text
from interlingua.corpora.pairs import PairCorpus, line_by_line
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.paraphrase_files import from_labelled_rows
from interlingua.corpora.text import WHOLE_TEXT, ParagraphFilter, TextCorpus, first_paragraphs
from interlingua.errors import CorpusError, LanguageError, MissingExtraError
from interlingua.languages import NO_LANGUAGE, language_of_name, parse_language

Columns = Mapping[str, Sequence[Any]]

logger = logging.getLogger(__name__)


def is_dataset(value: object) -> bool:
    """Tell whether a value is a data set of the library `datasets`, or a dictionary of its splits."""
    return type(value).__module__.partition(".")[0] == "datasets"


def read_columns(table: Any, split: str | None = None) -> tuple[str, Columns]:
    """Return a table's name, and its columns by name.

    Args:
        table: The path of a `.csv`, `.tsv`, `.jsonl`, `.parquet` or `.tmx` file, or a data set of `datasets`.
        split: The split of a `datasets.DatasetDict`.

    Raises:
        CorpusError: The file is missing or malformed; the message has the line where there are lines.
    """
    if is_dataset(table):
        if hasattr(table, "keys"):
            if split not in table:
                raise CorpusError(f"the data set has no split '{split}'; it has {', '.join(table)}")
            table = table[split]
        name = getattr(getattr(table, "info", None), "dataset_name", None) or "data set"
        columns: Columns = {column: list(table[column]) for column in table.column_names}
    else:
        path = Path(table)
        name, columns = str(path), READERS[path.suffix.lower()](path)
    return name, _with_translations(columns)


def parallel_of(name: str, split: str, columns: Columns, languages: Sequence[str] = ()) -> ParallelCorpus:
    """Make a parallel corpus of the columns that are named for languages.

    A column's name is a code or name of a language, perhaps after `sentence_` (`language_of_name`); other columns are
    passed over.

    Raises:
        CorpusError: A cell is not text, or lines are empty or not aligned.
        LanguageError: No column is named for a language, or one that is asked for is absent.
    """
    found = language_columns(columns)
    wanted = languages or tuple(found)
    missing = [code for code in wanted if code not in found]
    if not found or missing:
        raise LanguageError(
            f"'{name}' has no column for {', '.join(missing) or 'any language'}; its columns are {', '.join(columns)}"
        )
    return ParallelCorpus(
        name, split, {code: require_text(f"'{name}', column '{found[code]}'", columns[found[code]]) for code in wanted}
    )


def pairs_of_table(name: str, split: str, columns: Columns, languages: Sequence[str]) -> PairCorpus:
    """Make a corpus of pairs of the columns `sentence1` and `sentence2` (and `label`), or of two languages' columns.

    Raises:
        CorpusError: A cell is not text, or lines are empty or not aligned.
        LanguageError: There is no such column, or it is not said which languages the sentences are in.
    """
    if {"sentence1", "sentence2"} <= set(columns):
        if not 1 <= len(languages) <= 2:
            raise LanguageError(f"say which language, or which two, 'sentence1' and 'sentence2' of '{name}' are in")
        if "label" in columns and len(set(languages)) == 1:
            keys = ("sentence1", "sentence2", "label")
            rows = (dict(zip(keys, row, strict=True)) for row in zip(*(columns[key] for key in keys), strict=True))
            return from_labelled_rows(rows, name, split, languages[0])
        sides = (require_text(f"'{name}', column '{key}'", columns[key]) for key in ("sentence1", "sentence2"))
        return line_by_line(name, split, (languages[0], languages[-1]), *sides)
    corpus = parallel_of(name, split, columns, languages)
    if len(corpus.languages) != 2:
        raise LanguageError(f"a pair has two languages; '{name}' has {', '.join(corpus.languages)}: name two of them")
    left, right = corpus.languages
    return line_by_line(name, split, (left, right), corpus[left], corpus[right])


def text_of_table(
    name: str, columns: Columns, language: str, limit: int | None, characters: int | None, min_length: int
) -> TextCorpus:
    """Make a corpus of running text of the column `text`, or of the language's column.

    Raises:
        CorpusError: A cell is not text, or no paragraph is long enough.
        LanguageError: There is no such column.
    """
    column = language_columns(columns).get(language, "text")
    if column not in columns:
        raise LanguageError(f"'{name}' has no column 'text' or '{language}'; its columns are {', '.join(columns)}")
    kept = ParagraphFilter(min_length)
    texts = require_text(f"'{name}', column '{column}'", columns[column])
    paragraphs = first_paragraphs(kept.paragraphs(texts), limit, characters)
    return TextCorpus(name, WHOLE_TEXT, language, paragraphs, kept.counts)


def language_columns(columns: Columns) -> dict[str, str]:
    """Return the columns that are named for a language, by its code.

    Example:
        >>> language_columns({"id": [1], "en": ["yes"], "Spanish": ["sí"], "source": ["web"]})
        {'eng_Latn': 'en', 'spa_Latn': 'Spanish'}
    """
    found: dict[str, str] = {}
    for column, values in columns.items():
        if column.strip().lower() in NO_LANGUAGE:
            logger.warning("the column '%s' names no one language, and is passed over", column)
        code = language_of_name(column)
        if code is None and column.strip().lower() in ("id", "no") and _is_prose(values):
            code = parse_language(column)
        if code is None:
            continue
        if code in found:
            raise CorpusError(f"the columns '{found[code]}' and '{column}' are both {code}; keep one of them")
        found[code] = column
    return found


def _is_prose(values: Sequence[Any]) -> bool:
    """Tell whether most values are words with spaces between them, and so neither numbers nor identifiers."""
    return sum(isinstance(value, str) and " " in value.strip() for value in values) > len(values) / 2


def _with_translations(columns: Columns) -> Columns:
    """Return the columns with `translation`, as bitext on the Hub has it, as one column a language."""
    rows = columns.get("translation")
    if not rows or not isinstance(rows[0], Mapping):
        return columns
    return {**columns, **{key: [row.get(key) for row in rows] for key in rows[0]}}


def _read_csv(path: Path) -> Columns:
    return _delimited(path, ",", csv.QUOTE_MINIMAL)


def _read_tsv(path: Path) -> Columns:
    return _delimited(path, "\t", csv.QUOTE_NONE)


def _delimited(path: Path, delimiter: str, quoting: Any) -> Columns:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(read_text(path), newline=""), delimiter=delimiter, quoting=quoting, strict=True)
    try:
        header = next(reader, [])
        rows = []
        for row in reader:
            if not row:  # a blank line
                continue
            if len(row) != len(header):
                raise CorpusError(f"'{path}' line {reader.line_num} has {len(row)} fields, its header {len(header)}")
            rows.append(row)
    except csv.Error as error:
        raise CorpusError(f"'{path}' line {reader.line_num} is not a row of a table: {error}") from None
    if not rows:
        raise CorpusError(f"'{path}' is empty; it needs a header and at least one row")
    for i, name in enumerate(header):
        if name in header[:i]:
            raise CorpusError(
                f"'{path}': the columns {header.index(name) + 1} and {i + 1} are both '{name}'; rename one"
            )
    return {name: [row[i] for row in rows] for i, name in enumerate(header)}


def _read_jsonl(path: Path) -> Columns:
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_each_key_once)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", None) or str(error)
            raise CorpusError(f"'{path}' line {number} is not valid JSON: {reason}") from None
        if not isinstance(row, dict) or (rows and row.keys() != rows[0].keys()):
            raise CorpusError(f"'{path}' line {number} must be an object with the same keys as the first line")
        for key, value in row.items():
            if value is None and language_of_name(key) is not None:
                raise CorpusError(f"'{path}' line {number}: '{key}' is null, not text")
            if isinstance(value, str) and (broken := half_surrogate(value)):
                raise CorpusError(f"'{path}' line {number}: '{key}' is not text: {broken}")
        rows.append(row)
    if not rows:
        raise CorpusError(f"'{path}' is empty; it needs one JSON object a line")
    return {key: [row[key] for row in rows] for key in rows[0]}


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key '{next(key for key in keys if keys.count(key) > 1)}' stands twice")
    return row


def _read_parquet(path: Path) -> Columns:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path).to_pydict()
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(f"cannot read '{path}' as Parquet: {' '.join(str(error).split())[:200]}") from None


def _read_tmx(path: Path) -> Columns:
    try:
        from translate.storage import lisa, tmx
    except ImportError:
        raise MissingExtraError(f"the TMX file '{path}'", "tmx") from None
    try:
        store = tmx.tmxfile.parsefile(str(path))
    except OSError as error:
        raise CorpusError(f"cannot read '{path}': {error.strerror or error}") from None
    except (SyntaxError, ValueError) as error:  # an error of the XML is a SyntaxError
        raise CorpusError(f"'{path}' is not valid TMX: {error}") from None
    units = [
        _unit(
            f"'{path}' unit {number}", [(lisa.getXMLlang(node) or "", unit.getNodeText(node) or "") for node in nodes]
        )
        for number, unit in enumerate(store.units, start=1)
        if (nodes := unit.getlanguageNodes()) is not None
    ]
    if not units:
        raise CorpusError(f"'{path}' has no translation units")
    counts = Counter(code for unit in units for code in unit)
    languages = [code for code, count in counts.items() if count > len(units) / 2]
    complete = [unit for unit in units if set(languages) <= set(unit)]
    if len(languages) < 2 or not complete:
        raise CorpusError(f"'{path}' is not aligned: no two languages are in most of its {len(units)} units")
    if lacking := len(units) - len(complete):
        missing = ", ".join(f"{code} in {len(units) - counts[code]}" for code in languages if counts[code] < len(units))
        logger.warning("'%s': %d of %d units left out, which lack %s", path, lacking, len(units), missing)
    return {code: [unit[code] for unit in complete] for code in languages}


def _unit(where: str, variants: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the text of a translation unit by language, without variants that are empty."""
    found: dict[str, str] = {}
    names: dict[str, str] = {}
    for name, text in variants:
        try:
            code = parse_language(name)
        except LanguageError as error:
            raise LanguageError(f"{where}: {error}") from None
        if code in names:
            raise CorpusError(f"{where}: the variants '{names[code]}' and '{name}' are both {code}; keep one of them")
        names[code] = name
        if not is_blank(text):
            found[code] = text
    return found


READERS: dict[str, Callable[[Path], Columns]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
    ".tmx": _read_tmx,
}
"""How a table is read, by the ending of its name."""
