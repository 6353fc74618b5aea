"""Data sets of the Hugging Face Hub: fetched once at a pinned revision, kept as Parquet, read offline from then on."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from interlingua.corpora.named import NamedSource
from interlingua.errors import CorpusError, InterlinguaError, MissingExtraError
from interlingua.files import written_whole

if TYPE_CHECKING:
    import pyarrow as pa

TIMEOUT = 10.0
"""Seconds to wait for the Hub's first answer."""


def read_table(source: NamedSource, configuration: str | None, split: str, columns: Sequence[str] | None) -> pa.Table:
    """Return a split of a data set on the Hub: from the cache, or from the Hub into the cache.

    Args:
        source: Which data set; its `repository` may also be a folder in the layout of the Hub.
        configuration: The Hub's name of a part, often a language; `None` where there are no parts.
        split: The Hub's name of the split.
        columns: Read these only; `None`: all.

    Raises:
        MissingExtraError: The extra `hub` is not installed.
        CorpusError: The Hub did not give it, or it lacks a column.
    """
    import pyarrow.parquet as pq

    path = cache_folder(source, configuration) / f"{split}.parquet"
    if not path.is_file():
        dataset = load_dataset(source, configuration, split)
        with _explained(source, configuration), written_whole(path) as temporary:
            pq.write_table(dataset.with_format("arrow")[:], temporary)
    there = pq.read_schema(path).names
    missing = [column for column in columns or () if column not in there]
    if missing:
        raise CorpusError(
            f"corpus '{source.name}' ({source.repository} at {source.revision}, split {split}) has no column "
            f"{', '.join(missing)}; it has {', '.join(there[:30])}"
        )
    return pq.read_table(path, columns=list(columns) if columns is not None else None)


def cache_folder(source: NamedSource, configuration: str | None) -> Path:
    """Return the folder in which what was fetched is kept: one for each data set, revision and configuration."""
    repository = str(source.repository).strip("/").replace("/", "--")
    root = platformdirs.user_cache_path("interlingua") / "corpora"
    return root / f"{repository}@{source.revision}" / (configuration or "default")


def load_dataset(source: NamedSource, configuration: str | None, split: str, *, streaming: bool = False) -> Any:
    """Open a data set of the Hub, or of a folder in its layout, with the library `datasets`.

    Raises:
        MissingExtraError: The extra `hub` is not installed.
        CorpusError: It could not be opened; one line says what was tried, and what to do instead.
    """
    try:
        import datasets
    except ImportError:
        raise MissingExtraError(f"the corpus '{source.name}'", "hub") from None

    local = Path(str(source.repository)).is_dir()
    with _explained(source, configuration), _quiet(datasets):
        if not local:
            _require_hub(source)
        return datasets.load_dataset(
            str(source.repository),
            configuration,
            split=split,
            revision=None if local else source.revision,
            streaming=streaming,
        )


def stream_rows(source: NamedSource, configuration: str | None, split: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a data set without downloading more than is asked for.

    Raises:
        MissingExtraError: The extra `hub` is not installed.
        CorpusError: It could not be opened.
    """
    dataset = load_dataset(source, configuration, split, streaming=True)
    with _explained(source, configuration):
        yield from dataset


def _require_hub(source: NamedSource) -> None:
    # One request without retries: without a network, the library would retry for half a minute before it says so. Where
    # the user has said that there is none, it looks into its cache at once.
    from huggingface_hub import HfApi, constants

    if constants.HF_HUB_OFFLINE:
        return
    HfApi().dataset_info(str(source.repository), revision=source.revision, timeout=TIMEOUT)


@contextmanager
def _explained(source: NamedSource, configuration: str | None) -> Generator[None]:
    """Turn whatever goes wrong with the Hub into one line."""
    part = f", part '{configuration}'" if configuration else ""
    tried = f"corpus '{source.name}' could not be fetched from {source.repository}@{source.revision}{part} on the Hub"
    access = f" {source.access}" if source.access else ""
    instead = f"Without the Hub, pass the path of a folder in place of '{source.name}': {source.layout}."
    if Path(source.name).is_dir():
        instead += f" There is a folder of that name here: pass './{source.name}'."
    try:
        yield
    except InterlinguaError:
        raise
    except Exception as error:  # each of the libraries below has its own errors, and changes them
        cause = " ".join(str(error).split())[:200] or type(error).__name__
        raise CorpusError(f"{tried} ({cause}).{access} {instead}") from None


@contextmanager
def _quiet(datasets: Any) -> Generator[None]:
    """Keep the bars and warnings of `datasets` from breaking into ours."""
    verbosity, bars = datasets.logging.get_verbosity(), datasets.utils.logging.is_progress_bar_enabled()
    datasets.logging.set_verbosity_error()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        datasets.logging.set_verbosity(verbosity)
        if bars:
            datasets.enable_progress_bars()
