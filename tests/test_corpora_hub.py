"""The sources on the Hugging Face Hub, WITHOUT the Hub: tests have no network.

Each test makes a small folder with made-up sentences in the layout and schema of the real data set, and lets the same
code read it: `datasets` opens a folder as it opens a repository. What this cannot show is that the pinned revisions are
there, and that their schemas are as their documentation says.
"""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest

import interlingua as il
from interlingua.corpora import CORPORA
from interlingua.errors import CorpusError, LanguageError, MissingExtraError

datasets = pytest.importorskip("datasets", reason="the extra `hub` is not installed")

LONG = (
    "Ein Absatz, der lang genug ist, um als Fließtext zu gelten, und nicht als Überschrift eines Artikels im Lexikon."
)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Return a function that makes a folder in the layout of the Hub the repository of a named corpus."""
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "datasets")

    def make(name, tables, *, jsonl=False):
        """Tables: for each configuration and split, its columns (or a `datasets.Dataset`)."""
        folder = tmp_path / name
        configurations = {}
        for (configuration, split), table in tables.items():
            table = table if isinstance(table, datasets.Dataset) else datasets.Dataset.from_dict(table)
            path = folder / configuration / f"{split}-00000-of-00001.{'jsonl' if jsonl else 'parquet'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            (table.to_json if jsonl else table.to_parquet)(str(path))
            configurations.setdefault(configuration, []).append({"split": split, "path": str(path.relative_to(folder))})
        listed = [{"config_name": key, "data_files": files} for key, files in configurations.items()]
        (folder / "README.md").write_text(f"---\nconfigs: {json.dumps(listed)}\n---\n", encoding="utf-8")
        source = dataclasses.replace(CORPORA[name], repository=str(folder), revision="local")
        monkeypatch.setitem(CORPORA, name, source)
        return folder

    return make


def test_flores200(repository):
    columns = {"eng_Latn": ["one", "two"], "deu_Latn": ["eins", "zwei"], "pes_Arab": ["یک", "دو"]}
    repository("flores200", {("default", "dev"): columns, ("default", "devtest"): {**columns, "eng_Latn": ["3", "4"]}})
    corpus = il.open_corpus("flores200").parallel("dev", languages=["fa", "German"])
    assert corpus.sentences == {"pes_Arab": ("یک", "دو"), "deu_Latn": ("eins", "zwei")}
    assert il.open_corpus("flores200").parallel("devtest", languages=["en"], limit=1)["eng_Latn"] == ("3",)
    with pytest.raises(CorpusError, match="has no column ita_Latn; it has eng_Latn"):
        il.open_corpus("flores200").parallel(languages=["it"])
    with pytest.raises(CorpusError, match="no split 'test'; it has dev, devtest"):
        il.open_corpus("flores200").parallel("test")


def test_flores_plus_is_aligned_by_its_numbers(repository):
    def table(ids, texts, **columns):
        return {"id": ids, "text": texts, "iso_639_3": ["x"] * len(ids), **columns}

    tables = {
        ("eng_Latn", "dev"): table([1, 2, 3], ["one", "two", "three"]),
        ("cmn_Hans", "dev"): table([3, 1, 2], ["三", "一", "二"]),
        ("deu_Latn", "dev"): table([1, 2, 4], ["eins", "zwei", "vier"]),
    }
    repository("flores-plus", tables, jsonl=True)
    corpus = il.open_corpus("flores-plus").parallel("dev", languages=["en", "zh"])
    assert corpus.sentences == {"eng_Latn": ("one", "two", "three"), "zho_Hans": ("一", "二", "三")}
    with pytest.raises(CorpusError, match="deu_Latn has other sentences than eng_Latn: 2 numbers"):
        il.open_corpus("flores-plus").parallel("dev", languages=["en", "de"])


def test_ntrex128_is_halved_and_can_be_had_whole(repository):
    columns = {"eng_Latn": ["1", "2", "3"], "fas_Arab": ["۱", "۲", "۳"], "prs_Arab": ["x", "y", "z"]}
    repository("ntrex128", {("default", "test"): columns})
    corpus = il.open_corpus("ntrex128").parallel("devtest", languages=["en", "Persian"])
    assert corpus.sentences == {"eng_Latn": ("2", "3"), "pes_Arab": ("۲", "۳")}
    assert len(il.open_corpus("ntrex128").parallel("test", languages=["prs_Arab"])) == 3
    assert il.open_corpus("ntrex128").is_halved
    assert not il.open_corpus("flores200").is_halved


def test_tatoeba(repository):
    rows = {
        "sentence1": ["一", "ja", "二"],
        "sentence2": ["one", "yes", "two"],
        "lang": ["cmn-eng", "deu-eng", "cmn-eng"],
    }
    folder = repository("tatoeba", {("default", "test"): rows}, jsonl=True)
    corpus = il.open_corpus("tatoeba").pairs("Chinese")
    assert (corpus.languages, corpus.left, corpus.right) == (("zho_Hans", "eng_Latn"), ("一", "二"), ("one", "two"))
    assert il.open_corpus("tatoeba").pairs("en", "zh") == corpus.swapped()
    shutil.rmtree(folder)
    assert il.open_corpus("tatoeba").pairs("de").left == ("ja",)  # one download has all languages
    with pytest.raises(CorpusError, match="has no fra-eng"):
        il.open_corpus("tatoeba").pairs("fr")
    with pytest.raises(LanguageError, match="'tatoeba' has no lao_Laoo"):
        il.open_corpus("tatoeba").pairs("Lao")
    with pytest.raises(LanguageError, match="ask for one other language"):
        il.open_corpus("tatoeba").pairs("de", "fr")


def test_bucc2018_counts_its_gold_from_one(repository):
    row = {
        "sentence1": [["eins", "zwei", "drei"]],
        "sentence2": [["four", "three", "one", "five"]],
        "gold": [[[1, 3], [3, 2]]],
    }
    repository("bucc2018", {("de-en", "test"): row})
    corpus = il.open_corpus("bucc2018").pairs("de")
    assert [(corpus.left[i], corpus.right[j]) for i, j in corpus.gold] == [("eins", "one"), ("drei", "three")]
    assert corpus.distractors == (1, 2)


def test_the_gold_pairs_of_bucc2018_alone(repository):
    rows = {"sentence1": ["ja", "да"], "sentence2": ["yes", "yes"], "lang": ["de-en", "ru-en"]}
    repository("bucc2018-gold", {("default", "test"): rows}, jsonl=True)
    corpus = il.open_corpus("bucc2018-gold").pairs("ru")
    assert (corpus.left, corpus.right, corpus.distractors) == (("да",), ("yes",), (0, 0))


def test_pawsx(repository):
    features = datasets.Features(
        {
            "id": datasets.Value("int32"),
            "sentence1": datasets.Value("string"),
            "sentence2": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["0", "1"]),
        }
    )
    rows = {
        "id": [1, 2, 3, 4],
        "sentence1": ["a b", "NS", "c d", "a b"],
        "sentence2": ["b a", "x", "d c", "ab ab"],
        "label": [1, 1, 0, 1],
    }
    repository("pawsx", {("de", "test"): datasets.Dataset.from_dict(rows, features=features)})
    corpus = il.open_corpus("pawsx").pairs("German")
    assert (corpus.left, corpus.right, corpus.split) == (("a b",), ("b a",), "test")
    assert corpus.dropped == {"placeholder NS": 1, "label other than 1": 1, "repeated": 1}
    with pytest.raises(LanguageError, match="'pawsx' has no ita_Latn"):
        il.open_corpus("pawsx").pairs("it")


def test_wikipedia_is_read_only_as_far_as_asked_for_and_then_kept(repository, monkeypatch):
    articles = [f"Titel\n\n{LONG} {i}\n{LONG} {i}b" for i in range(20)]
    rows = {"id": ["0"] * 20, "url": ["u"] * 20, "title": ["t"] * 20, "text": articles}
    folder = repository("wikipedia", {("20231101.de", "train"): rows})

    taken = []
    stream = il.corpora.wikipedia.stream_rows

    def counted(*arguments):
        for row in stream(*arguments):
            taken.append(row)
            yield row

    monkeypatch.setattr("interlingua.corpora.wikipedia.stream_rows", counted)
    corpus = il.open_corpus("wikipedia").text("German", limit=5)
    assert [p[-2:] for p in corpus.paragraphs] == [" 0", "0b", " 1", "1b", " 2"]
    assert corpus.dropped == {"under 100 characters": 3}
    assert len(taken) == 3  # articles, of 20
    shutil.rmtree(folder)
    assert il.open_corpus("wikipedia").text("de", limit=3).dropped == {"under 100 characters": 2}  # of what was kept
    assert il.open_corpus("wikipedia").text("de", limit=5).fingerprint() == corpus.fingerprint()
    assert len(il.open_corpus("wikipedia").text("de", characters=len(LONG) + 3)) == 2
    with pytest.raises(CorpusError, match="could not be fetched"):
        il.open_corpus("wikipedia").text("de", limit=6)


def test_a_wikipedia_that_was_read_to_its_end_is_not_read_again(repository):
    folder = repository("wikipedia", {("20231101.de", "train"): {"text": [LONG, f"{LONG} 2"]}})
    assert len(il.open_corpus("wikipedia").text("de")) == 2
    shutil.rmtree(folder)
    assert len(il.open_corpus("wikipedia").text("de", characters=10**9)) == 2


def test_what_was_fetched_once_is_read_offline_at_that_revision(repository, monkeypatch):
    folder = repository("flores200", {("default", "dev"): {"eng_Latn": ["one"], "deu_Latn": ["eins"]}})
    first = il.open_corpus("flores200").parallel("dev", languages=["en", "de"])
    shutil.rmtree(folder)
    assert il.open_corpus("flores200").parallel("dev", languages=["en", "de"]) == first
    another = dataclasses.replace(CORPORA["flores200"], revision="another")
    monkeypatch.setitem(CORPORA, "flores200", another)
    with pytest.raises(CorpusError, match="@another on the Hub"):
        il.open_corpus("flores200").parallel("dev", languages=["en", "de"])


@pytest.mark.parametrize("name", [name for name, source in CORPORA.items() if source.repository])
def test_without_a_network_one_line_says_what_was_tried_and_what_to_do(name, tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    source = CORPORA[name]
    arguments = () if source.shapes[0] == "parallel" else ("de",)
    with pytest.raises(CorpusError) as raised:
        getattr(il.open_corpus(name), source.shapes[0])(*arguments)
    message = str(raised.value)
    assert f"{source.repository}@{source.revision}" in message
    assert f"pass the path of a folder in place of '{name}': {source.layout}" in message
    assert "\n" not in message
    assert source.access in message
    assert not list(tmp_path.rglob("*.parquet"))  # nothing half-written


def test_a_folder_that_is_called_as_the_corpus_is_pointed_to(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for code in ("en", "de"):
        (tmp_path / "flores200" / "dev").mkdir(parents=True, exist_ok=True)
        (tmp_path / "flores200" / "dev" / f"{code}.txt").write_text("a\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"pass '\./flores200'"):
        il.open_corpus("flores200").parallel()
    assert len(il.open_corpus("./flores200").parallel()) == 1


def test_the_gated_corpus_says_how_to_get_access():
    assert (
        "accept its terms at https://huggingface.co/datasets/openlanguagedata/flores_plus"
        in CORPORA["flores-plus"].access
    )


def test_the_missing_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"corpus 'pawsx' needs the extra 'hub'"):
        il.open_corpus("pawsx").pairs("de")
