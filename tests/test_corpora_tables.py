"""A user's own tables: CSV, TSV, JSON lines, Parquet, TMX, and objects of `datasets`. All sentences are made up."""

import json

import pandas as pd
import pytest

import interlingua as il
from interlingua.errors import CorpusError, LanguageError

COLUMNS = {
    "id": ["a", "b", "c", "d"],
    "en": ["one", 'two, "quoted"', "three\u2028still three", "four"],
    "German": ["eins", "zwei", "drei", "vier"],
    "source": ["web"] * 4,
}
TMX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header srclang="en" segtype="sentence" datatype="plaintext" o-tmf="none" adminlang="en"
 creationtool="none" creationtoolversion="1"/><body>
<tu><tuv xml:lang="en"><seg>one</seg></tuv><tuv xml:lang="de-DE"><seg>eins</seg></tuv></tu>
<tu><tuv xml:lang="en"><seg>two <bpt i="1">&lt;b&gt;</bpt>&amp;</seg></tuv><tuv xml:lang="de-DE"><seg>zwei</seg></tuv>
<tuv xml:lang="fr"><seg>deux</seg></tuv></tu></body></tmx>"""


def as_file(folder, kind):
    path = folder / f"mine.{kind}"
    frame = pd.DataFrame(COLUMNS)
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in frame.to_dict("records")) + "\n\n", encoding="utf-8")
    elif kind == "parquet":
        frame.to_parquet(path)
    return path


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_table_is_halved_and_its_columns_are_languages(tmp_path, kind):
    path = as_file(tmp_path, kind)
    dev, devtest = il.open_corpus(path).parallel(), il.open_corpus(str(path)).parallel("devtest")
    assert dev.sentences == {"eng_Latn": ("one", 'two, "quoted"'), "deu_Latn": ("eins", "zwei")}
    assert devtest["eng_Latn"] == ("three\u2028still three", "four")
    assert il.open_corpus(path).is_halved


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_two_columns_of_a_table_are_bitext(tmp_path, kind):
    corpus = il.open_corpus(as_file(tmp_path, kind)).pairs("de", "en")
    assert corpus.languages == ("deu_Latn", "eng_Latn")
    assert (len(corpus), corpus.left[3], corpus.right[3]) == (4, "vier", "four")


def test_labelled_pairs_in_a_table_are_read_as_pawsx(tmp_path):
    rows = {"sentence1": ["a b", "NS", "c"], "sentence2": ["b a", "x", "d"], "label": [1, 1, 0]}
    pd.DataFrame(rows).to_csv(tmp_path / "pairs.csv", index=False)
    corpus = il.open_corpus(tmp_path / "pairs.csv").pairs("en")
    assert (corpus.left, corpus.right) == (("a b",), ("b a",))
    assert corpus.dropped == {"placeholder NS": 1, "label other than 1": 1, "repeated": 0}
    with pytest.raises(LanguageError, match="say which language"):
        il.open_corpus(tmp_path / "pairs.csv").pairs()


def test_a_text_column_is_running_text(tmp_path):
    rows = [
        {"title": "x", "text": "Heading\n\nA first paragraph of some length."},
        {"title": "y", "text": "A second one."},
    ]
    (tmp_path / "articles.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    corpus = il.open_corpus(tmp_path / "articles.jsonl").text("en", min_length=10)
    assert corpus.paragraphs == ("A first paragraph of some length.", "A second one.")
    assert corpus.dropped == {"under 10 characters": 1}


def test_tmx(tmp_path):
    pytest.importorskip("translate", reason="the extra `tmx` is not installed")
    (tmp_path / "memory.tmx").write_text(TMX, encoding="utf-8")
    corpus = il.open_corpus(tmp_path / "memory.tmx").pairs("en", "de")  # French is not in every unit
    assert corpus.right == ("eins", "zwei")
    assert corpus.left[0] == "one"
    assert il.open_corpus(tmp_path / "memory.tmx").parallel("devtest")["deu_Latn"] == ("zwei",)
    (tmp_path / "bad.tmx").write_text("<tmx><body>", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"bad\.tmx' is not valid TMX"):
        il.open_corpus(tmp_path / "bad.tmx").parallel()


def test_objects_of_datasets():
    datasets = pytest.importorskip("datasets", reason="the extra `hub` is not installed")
    data = datasets.Dataset.from_dict(COLUMNS)
    assert il.open_corpus(data).parallel()["deu_Latn"] == ("eins", "zwei")  # one table is halved
    splits = datasets.DatasetDict({"dev": data, "devtest": data.select([3])})
    assert len(il.open_corpus(splits).parallel("dev")) == 4
    assert il.open_corpus(splits).parallel("devtest", languages=["en"]).sentences == {"eng_Latn": ("four",)}
    with pytest.raises(CorpusError, match="no split 'test'; it has dev, devtest"):
        il.open_corpus(splits).parallel("test")
    nested = datasets.Dataset.from_dict({"translation": [{"de": "ja", "en": "yes"}, {"de": "nein", "en": "no"}]})
    assert il.open_corpus(nested).pairs("de", "en").right == ("yes", "no")
    text = datasets.Dataset.from_dict({"text": ["first article\nsecond line"]})
    assert len(il.open_corpus(text).text("en", min_length=5)) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bad.csv", b"en,de\na,b\nc\n", r"bad\.csv' line 3 has 1 fields, its header 2"),
        ("bad.csv", b"en,de\na,\xff\n", r"bad\.csv' is not UTF-8: byte 8, on line 2"),
        ("bad.csv", b"en,de\na,\n", "is empty in line 1|line 1 of deu_Latn is empty"),
        ("bad.csv", b"en,de\n", "is empty; it needs a header"),
        ("bad.jsonl", b'{"en": "a"}\n{"en": \n', r"bad\.jsonl' line 2 is not valid JSON"),
        ("bad.jsonl", b'{"en": "a"}\n{"de": "b"}\n', "line 2 must be an object with the same keys"),
        ("bad.jsonl", b'{"en": "a"}\n{"en": 3}\n', "column 'en', row 2: 3 is not text"),
        ("bad.jsonl", b'{"en": "a", "English": "b"}\n', "'en' and 'English' are both eng_Latn"),
        ("bad.parquet", b"not parquet", r"cannot read '.*bad\.parquet' as Parquet"),
    ],
)
def test_a_bad_table_is_an_error_that_says_where(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match=message):
        il.open_corpus(tmp_path / name).parallel()


def test_a_table_without_the_language_is_an_error(tmp_path):
    (tmp_path / "mine.csv").write_text("label,url\nx,y\n", encoding="utf-8")
    with pytest.raises(LanguageError, match="no column for any language; its columns are label, url"):
        il.open_corpus(tmp_path / "mine.csv").parallel()
    with pytest.raises(LanguageError, match="no column 'text' or 'eng_Latn'"):
        il.open_corpus(tmp_path / "mine.csv").text("en")
