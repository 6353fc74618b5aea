"""Wikipedia, the dump of November 2023: running text in more than 300 languages, streamed only as far as asked for."""

from __future__ import annotations

from collections.abc import Iterator

from interlingua.corpora.hub import cache_folder, stream_rows
from interlingua.corpora.named import NamedSource
from interlingua.corpora.text import ParagraphFilter, TextCorpus, first_paragraphs
from interlingua.files import written_whole
from interlingua.languages import short_code

SPLIT = "train"
DEFAULT_CHARACTERS = 50_000_000
"""What is read where no amount is asked for: some ten million tokens of a European language, as in the paper."""


def read_text(
    source: NamedSource, language: str, limit: int | None, characters: int | None, min_length: int
) -> TextCorpus:
    """Read the first paragraphs of a language's Wikipedia, from the cache if it reaches that far."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if limit is None and characters is None:
        characters = DEFAULT_CHARACTERS
    configuration = f"20231101.{short_code(language)}"
    path = cache_folder(source, configuration) / f"paragraphs-{min_length}.parquet"
    if path.is_file():
        kept = pq.read_table(path)
        paragraphs = kept.column("paragraph").to_pylist()
        at_end = kept.schema.metadata[b"at_end"] == b"yes"
        if at_end or _reaches(paragraphs, limit, characters):
            return _corpus(
                source, language, paragraphs, kept.column("dropped").to_pylist(), limit, characters, min_length
            )
    paragraphs, dropped, at_end = _fetch(source, configuration, limit, characters, min_length)
    table = pa.table({"paragraph": paragraphs, "dropped": dropped})
    table = table.replace_schema_metadata({"at_end": "yes" if at_end else "no"})
    with written_whole(path) as temporary:
        pq.write_table(table, temporary)
    return _corpus(source, language, paragraphs, dropped, limit, characters, min_length)


def _reaches(paragraphs: list[str], limit: int | None, characters: int | None) -> bool:
    return (limit is not None and len(paragraphs) >= limit) or (
        characters is not None and sum(map(len, paragraphs)) >= characters
    )


def _fetch(
    source: NamedSource, configuration: str, limit: int | None, characters: int | None, min_length: int
) -> tuple[list[str], list[int], bool]:
    """Stream paragraphs until there are enough; beside each, how many shorter ones had been left out by then."""
    articles = stream_rows(source, configuration, SPLIT)
    long_enough = ParagraphFilter(min_length)
    dropped: list[int] = []

    def counted() -> Iterator[str]:
        for paragraph in long_enough.paragraphs(article["text"] for article in articles):
            dropped.append(long_enough.dropped)
            yield paragraph

    paragraphs = list(first_paragraphs(counted(), limit, characters))
    at_end = not _reaches(paragraphs, limit, characters)
    return paragraphs, dropped, at_end


def _corpus(
    source: NamedSource,
    language: str,
    paragraphs: list[str],
    dropped: list[int],
    limit: int | None,
    characters: int | None,
    min_length: int,
) -> TextCorpus:
    first = first_paragraphs(paragraphs, limit, characters)
    counts = {f"under {min_length} characters": dropped[len(first) - 1]} if first else {}
    return TextCorpus(source.name, SPLIT, language, first, counts)
