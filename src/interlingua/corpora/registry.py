"""`open_corpus`: from a name, a path or a data set to where the corpus comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from interlingua.corpora import tables
from interlingua.corpora.local import FolderSource, TableSource, TextSource
from interlingua.corpora.named_sources import NAMED
from interlingua.corpora.prompts import PROMPTS
from interlingua.corpora.source import Source
from interlingua.corpora.starter import STARTER
from interlingua.errors import CorpusError

CORPORA = {source.name: source for source in (STARTER, PROMPTS, *NAMED)}
"""The corpora known by name."""


def open_corpus(name: Any) -> Source:
    """Find a corpus; `parallel`, `pairs` and `text` of what is returned read it.

    Args:
        name: A registered name (`interlingua list corpora`); the path of a folder; the path of a `.csv`, `.tsv`,
            `.jsonl`, `.parquet` or `.tmx` file with a column a language, with `sentence1` and `sentence2`, or with
            `text`; the path of a text file; or a data set of the library `datasets` with such columns.

    Raises:
        CorpusError: There is no such corpus.

    Example:
        >>> probe = open_corpus("starter").parallel("dev", languages=["Spanish", "ja"])
        >>> probe.languages, len(probe)
        (('spa_Latn', 'jpn_Jpan'), 100)
    """
    if isinstance(name, str) and name in CORPORA:
        return CORPORA[name]
    if tables.is_dataset(name):
        return TableSource(name)
    path = Path(name)
    if path.is_dir():
        return FolderSource(path)
    if path.is_file():
        return TableSource(name) if path.suffix.lower() in tables.READERS else TextSource(path)
    raise CorpusError(
        f"there is no corpus and no folder '{name}'; registered corpora: {', '.join(CORPORA)}; a folder needs "
        f"<split>/<code>.txt or <code>.txt, a file must end in {', '.join(tables.READERS)}"
    )
