"""FLORES-200 and FLORES+: the same sentences of Wikinews, Wikijunior and Wikivoyage in some 200 languages."""

from __future__ import annotations

from collections.abc import Sequence

from interlingua.corpora.checks import require_text
from interlingua.corpora.hub import read_table
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.source import CorpusSource
from interlingua.errors import CorpusError
from interlingua.languages import FLORES_LANGUAGES, PAPER_LANGUAGES

SPLITS = ("dev", "devtest")
CITATION = (
    "NLLB Team, No Language Left Behind, 2022; Goyal et al., The FLORES-101 Evaluation Benchmark for Low-Resource and "
    "Multilingual Machine Translation, TACL 2022"
)
PLUS_NAMES = {"zho_Hans": "cmn_Hans", "zho_Hant": "cmn_Hant"}
"""Languages whose code is another one in FLORES+."""


def read_columns(source: CorpusSource, split: str, languages: Sequence[str]) -> ParallelCorpus:
    """Read mteb's table, which has one column a language."""
    source.require_split(split)
    codes = [source.require_language(code) for code in languages]
    table = read_table(source, None, split, codes)
    sentences = {code: require_text(f"{source.name}, {code}", table.column(code).to_pylist()) for code in codes}
    return ParallelCorpus(source.name, split, sentences)


def read_plus(source: CorpusSource, split: str, languages: Sequence[str]) -> ParallelCorpus:
    """Read FLORES+, one table a language, aligned by the sentences' numbers."""
    source.require_split(split)
    sentences: dict[str, tuple[str, ...]] = {}
    expected: list[int] | None = None
    for code in languages:
        configuration = PLUS_NAMES.get(source.require_language(code), code)
        table = read_table(source, configuration, split, ["id", "text"])
        rows = dict(zip(table.column("id").to_pylist(), table.column("text").to_pylist(), strict=True))
        ids = sorted(rows)
        expected = expected or ids
        if ids != expected:
            raise CorpusError(
                f"corpus '{source.name}' ({split}): {code} has other sentences than {next(iter(sentences), code)}: "
                f"{len(set(ids) ^ set(expected))} numbers are in one of them alone"
            )
        sentences[code] = require_text(f"{source.name}, {code}", (rows[number] for number in ids))
    return ParallelCorpus(source.name, split, sentences)


FLORES200 = CorpusSource(
    name="flores200",
    description="FLORES-200, 204 languages, 997 sentences to probe (dev) and 1,012 to evaluate (devtest)",
    licence="CC BY-SA 4.0; its keepers ask not to publish it as plain text",
    citation=CITATION,
    languages=FLORES_LANGUAGES,
    splits=SPLITS,
    repository="mteb/FloresBitextMining",
    revision="2144d16cc15edd22d4a9237d12bff5f31f5c07fc",
    provenance="mteb 2.26.24 pins this revision and reads its split devtest; that it has dev as well was not seen",
    layout="dev/<code>.txt and devtest/<code>.txt, line i the same sentence in every file",
    by_default={"parallel": (*PAPER_LANGUAGES, "zho_Hans")},
    read_parallel=read_columns,
)

FLORES_PLUS = CorpusSource(
    name="flores-plus",
    description="FLORES+ 4.6, the maintained successor of FLORES-200: dev 997 sentences, devtest 1,012",
    licence="CC BY-SA 4.0; its keepers ask not to publish it as plain text",
    citation=CITATION,
    languages=FLORES_LANGUAGES,
    splits=SPLITS,
    repository="openlanguagedata/flores_plus",
    revision="5fec6c13f9e5a4db2f745d4ec0d7c9721ddc4f06",
    provenance="the revision of version 4.6 that public code pins; JSON lines, one file a language",
    access="It is gated: accept its terms at https://huggingface.co/datasets/openlanguagedata/flores_plus, then log in "
    "with 'hf auth login' (or set HF_TOKEN).",
    layout="dev/<code>.txt and devtest/<code>.txt, line i the same sentence in every file",
    by_default={"parallel": (*PAPER_LANGUAGES, "zho_Hans")},
    read_parallel=read_plus,
)
