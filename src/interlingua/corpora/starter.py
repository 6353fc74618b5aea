"""The bundled corpus, in all three shapes, written for this project (see data/starter/README.md)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from interlingua.corpora.folder import EVALUATION_SPLIT, PROBE_SPLIT, read_folder
from interlingua.corpora.named import NamedSource
from interlingua.corpora.pairs import PairCorpus
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.paraphrase_files import read_paraphrases
from interlingua.corpora.text import TextCorpus
from interlingua.corpora.text_files import read_text_corpus
from interlingua.errors import LanguageError
from interlingua.languages import PAPER_LANGUAGES

IN_FIVE = ("deu_Latn", "eng_Latn", "fra_Latn", "jpn_Jpan", "spa_Latn")
"""The languages of the paraphrases and of the running text."""


def read_parallel(source: NamedSource, split: str, languages: Sequence[str]) -> ParallelCorpus:
    """Read 100 sentences of the split `dev` or `devtest`."""
    source.require_split(split)
    with _folder() as folder:
        corpus = read_folder(folder, split, name=source.name)
    return corpus.only(languages) if languages else corpus


def read_pairs(source: NamedSource, split: str, languages: Sequence[str]) -> PairCorpus:
    """Read 100 sentences of the split `devtest` with a paraphrase each."""
    _require_one_of_five(source, languages)
    with _folder() as folder:
        return read_paraphrases(folder / "paraphrase" / f"{languages[0]}.tsv", source.name, split, languages[0])


def read_text(
    source: NamedSource, language: str, limit: int | None, characters: int | None, min_length: int
) -> TextCorpus:
    """Read 20 encyclopedic paragraphs."""
    _require_one_of_five(source, [language])
    with _folder() as folder:
        path = folder / "text" / f"{language}.txt"
        return read_text_corpus(path, source.name, language, limit, characters, min_length)


def _require_one_of_five(source: NamedSource, languages: Sequence[str]) -> None:
    if len(set(languages)) != 1 or languages[0] not in IN_FIVE:
        asked = " and ".join(languages) or "no language"
        raise LanguageError(
            f"corpus '{source.name}' has paraphrases and running text in {', '.join(IN_FIVE)}, one language at a time; "
            f"you asked for {asked}"
        )


@contextmanager
def _folder() -> Generator[Path]:
    with as_file(files("interlingua.corpora") / "data" / "starter") as folder:
        yield folder


STARTER = NamedSource(
    name="starter",
    description="23 languages, 100 sentences to probe and 100 to evaluate, 100 paraphrases and 20 paragraphs in five "
    "of them; bundled, for trying things out",
    licence="Apache-2.0",
    citation="interlingua",
    languages=tuple(sorted({*PAPER_LANGUAGES, "zho_Hans"})),
    splits=(PROBE_SPLIT, EVALUATION_SPLIT),
    provenance="comes with the package",
    by_default={"pairs": IN_FIVE, "text": IN_FIVE},
    read_parallel=read_parallel,
    read_pairs=read_pairs,
    read_text=read_text,
    pair_split=EVALUATION_SPLIT,
)
