"""The bundled prompts: beginnings of sentences, written for this project (see data/prompts/README.md)."""

from __future__ import annotations

from importlib.resources import as_file, files

from interlingua.corpora.named import NamedSource
from interlingua.corpora.text import TextCorpus
from interlingua.corpora.text_files import read_text_corpus
from interlingua.errors import LanguageError

LANGUAGES = ("deu_Latn", "eng_Latn", "fra_Latn", "jpn_Jpan", "rus_Cyrl", "spa_Latn", "tur_Latn", "zho_Hans")


def read_prompts(
    source: NamedSource, language: str, limit: int | None, characters: int | None, min_length: int
) -> TextCorpus:
    """Read eight beginnings of sentences; none is too short."""
    if language not in source.languages:
        raise LanguageError(f"corpus '{source.name}' has {', '.join(source.languages)}, not {language}")
    with as_file(files("interlingua.corpora") / "data" / "prompts") as folder:
        return read_text_corpus(folder / f"{language}.txt", source.name, language, limit, characters, 1)


PROMPTS = NamedSource(
    name="prompts",
    description="eight beginnings of sentences in eight languages, for texts that go on from a prompt; bundled",
    licence="Apache-2.0",
    citation="interlingua",
    languages=LANGUAGES,
    splits=(),
    provenance="comes with the package",
    by_default={"text": LANGUAGES},
    read_text=read_prompts,
)
