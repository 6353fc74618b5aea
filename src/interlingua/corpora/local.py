"""A user's corpora: folders, tables and text files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from interlingua.corpora import layouts, tables
from interlingua.corpora.folder import HALVES, halved, has_splits, read_folder, splits_of, unwrapped
from interlingua.corpora.pairs import ONLY_SPLIT, PairCorpus
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.source import ENGLISH, Shape, Source
from interlingua.corpora.text import TextCorpus
from interlingua.corpora.text_files import read_text_corpus
from interlingua.errors import CorpusError


class FolderSource(Source):
    """A folder in one of the layouts that `layouts` knows by the names of their files."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is read yet."""
        self.folder, self.name = unwrapped(folder), str(folder)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """What it can be read as; an error where it holds no known corpus."""
        return (layouts.shape_of(self.folder),)

    @property
    def splits(self) -> tuple[str, ...]:  # ty: ignore[incompatible-property-override]
        """Its sub-folders of text, or the names of its two halves."""
        return splits_of(self.folder) or HALVES

    @property
    def is_halved(self) -> bool:
        """Whether its text is not in sub-folders."""
        return not has_splits(self.folder)

    def splits_in(self, shape: Shape) -> tuple[str, ...] | None:
        """Return the splits of its text; of pairs, their files say which each pair has."""
        return None if shape == "pairs" else super().splits_in(shape)

    def default_languages(self, shape: Shape) -> tuple[str, ...] | None:
        """Return the languages of its text files where it is read as text."""
        return tuple(layouts.text_files(self.folder)) if shape == "text" else None

    def pair_languages(self, codes: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return its pairs of languages, or those with one of `codes`."""
        return tuple(pair for pair in layouts.pairs_of(self.folder) if not codes or set(codes) & set(pair))

    def paired_with_english(self) -> frozenset[str]:
        """Return the languages that it pairs with English."""
        return frozenset(code for pair in layouts.pairs_of(self.folder) if ENGLISH in pair for code in pair) - {ENGLISH}

    def _parallel(self, split: str, codes: tuple[str, ...] | None) -> ParallelCorpus:
        if layouts.pairs_of(self.folder) and not splits_of(self.folder):
            raise CorpusError(f"'{self.folder}' holds pairs of sentences, not a multi-parallel corpus; use .pairs()")
        return read_folder(self.folder, split)

    def _pairs(self, split: str | None, codes: tuple[str, ...]) -> PairCorpus:
        return layouts.read_pair_folder(self.folder, split, codes)

    def _text(
        self, code: str, split: str | None, limit: int | None, characters: int | None, min_length: int
    ) -> TextCorpus:
        return layouts.read_text_folder(self.folder, code, limit, characters, min_length)


class TableSource(Source):
    """A `.csv`, `.tsv`, `.jsonl`, `.parquet` or `.tmx` file with a column a language, or a data set of `datasets`."""

    def __init__(self, table: Any) -> None:
        """Name the table; nothing is read yet."""
        self.table, self.name, self.splits = table, str(table), HALVES
        self._read_once = cache(lambda split: tables.read_columns(table, split))

    def _read(self, split: str | None = None) -> tuple[str, tables.Columns]:
        """Return its name and columns, of a split where it has any."""
        return self._read_once(split if hasattr(self.table, "keys") else None)

    def splits_in(self, shape: Shape) -> tuple[str, ...] | None:
        """Return those of a dictionary of splits, which are the same in every shape; a table has none."""
        return tuple(self.table) if hasattr(self.table, "keys") else super().splits_in(shape)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """What its columns say that it is."""
        columns = self._read()[1]
        if {"sentence1", "sentence2"} <= set(columns):
            return ("pairs",)
        return ("text",) if "text" in columns and not tables.language_columns(columns) else ("parallel",)

    def paired_with_english(self) -> frozenset[str]:
        """Return the languages of its columns besides English."""
        found = set(tables.language_columns(self._read()[1]))
        return frozenset(found - {ENGLISH}) if ENGLISH in found else frozenset()

    def _parallel(self, split: str, codes: tuple[str, ...] | None) -> ParallelCorpus:
        name, columns = self._read(split)
        corpus = tables.parallel_of(name, split, columns, codes or ())
        return corpus if hasattr(self.table, "keys") else halved(corpus, split)

    def _pairs(self, split: str | None, codes: tuple[str, ...]) -> PairCorpus:
        name, columns = self._read(split or ONLY_SPLIT)
        return tables.pairs_of_table(name, split or ONLY_SPLIT, columns, codes)

    def _text(
        self, code: str, split: str | None, limit: int | None, characters: int | None, min_length: int
    ) -> TextCorpus:
        name, columns = self._read(split or "train")
        corpus = tables.text_of_table(name, columns, code, limit, characters, min_length)
        return replace(corpus, split=split) if split else corpus


class TextSource(Source):
    """A file of running text in one language, a paragraph a line."""

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is read yet."""
        self.path, self.name, self.splits = path, str(path), HALVES

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Running text alone."""
        return ("text",)

    def paired_with_english(self) -> frozenset[str]:
        """Return nothing: it has one language."""
        return frozenset()

    def _parallel(self, split: str, codes: tuple[str, ...] | None) -> ParallelCorpus:
        raise self._not_a_table()

    def _pairs(self, split: str | None, codes: tuple[str, ...]) -> PairCorpus:
        raise self._not_a_table()

    def _text(
        self, code: str, split: str | None, limit: int | None, characters: int | None, min_length: int
    ) -> TextCorpus:
        return read_text_corpus(self.path, self.name, code, limit, characters, min_length)

    def _not_a_table(self) -> CorpusError:
        return CorpusError(
            f"'{self.path}' is a file of running text in one language; for several, name a folder, or a table that "
            f"ends in {', '.join(tables.READERS)}"
        )
