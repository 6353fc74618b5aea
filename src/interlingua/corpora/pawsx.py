"""PAWS-X: pairs of sentences that share most words and do or do not mean the same (Yang et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence

from interlingua.corpora.hub import read_table
from interlingua.corpora.pairs import PairCorpus
from interlingua.corpora.paraphrase_files import from_labelled_rows
from interlingua.corpora.source import CorpusSource
from interlingua.errors import LanguageError
from interlingua.languages import parse_language

CONFIGURATIONS = {parse_language(code): code for code in ("de", "en", "es", "fr", "ja", "ko", "zh")}


def read_pairs(source: CorpusSource, split: str, languages: Sequence[str]) -> PairCorpus:
    """Read the paraphrases of one language."""
    source.require_split(split)
    if len(set(languages)) != 1:
        raise LanguageError(
            f"corpus '{source.name}' has paraphrases: ask for one language of {', '.join(source.languages)}"
        )
    language = source.require_language(languages[0])
    table = read_table(source, CONFIGURATIONS[language], split, ["sentence1", "sentence2", "label"])
    return from_labelled_rows(table.to_pylist(), source.name, split, language)


PAWSX = CorpusSource(
    name="pawsx",
    description="PAWS-X, adversarial paraphrases in 7 languages, 2,000 labelled pairs each",
    licence="free for any purpose, with acknowledgement of Google LLC as the source; no warranty",
    citation="Yang et al., PAWS-X: A Cross-lingual Adversarial Dataset for Paraphrase Identification, EMNLP 2019",
    languages=tuple(CONFIGURATIONS),
    splits=("train", "validation", "test"),
    repository="google-research-datasets/paws-x",
    revision="4cd8187c404bda33cb1f62b49b001115862acf37",
    provenance="the Parquet revision that public code pins; mteb 1.14 pinned 8a04d940, which is of the time of scripts",
    layout="<code>.tsv with the header id, sentence1, sentence2, label",
    read_pairs=read_pairs,
)
