"""`interlingua corpus show` and the lists. All sentences are made up."""

import json

import pytest
from typer.testing import CliRunner

import interlingua as il
from interlingua.cli import app
from interlingua.corpora import CORPORA, open_corpus
from interlingua.corpora.overview import open_parts
from interlingua.errors import CorpusError, LanguageError

LONG = "A paragraph that is long enough to count as running text, and not as a heading of some article. " * 2


def show(*arguments):
    result = CliRunner().invoke(app, ["corpus", "show", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def test_a_named_corpus_shows_what_is_known_and_every_part():
    printed = show("starter", "--limit", "7")
    assert "Apache-2.0" in printed
    for split in ("dev", "devtest"):
        assert f"split {split}: 23 languages x 7 sentences" in printed
    assert "paraphrases deu_Latn: 7 pairs" in printed
    assert "text jpn_Jpan: 7 paragraphs" in printed
    assert il.open_corpus("starter").parallel(limit=7).fingerprint() in printed
    assert il.open_corpus("starter").parallel()["kor_Hang"][0][:30] in printed  # a sample line


def test_a_parallel_folder_shows_its_warnings(tmp_path):
    write(
        tmp_path,
        {"dev/en.txt": "go\ngo\n", "dev/de.txt": "geh\nlos\n", "devtest/en.txt": "a\n", "devtest/de.txt": "b\n"},
    )
    printed = show(tmp_path)
    assert "split dev: 2 languages x 2 sentences" in printed
    assert (
        "warning: eng_Latn: 1 line that repeats an earlier one, which makes retrieval ambiguous (first: line 2)"
        in printed
    )
    assert "split devtest: 2 languages x 1 sentence" in printed
    assert "split devtest" not in show(tmp_path, "--split", "dev")
    assert "deu_Latn" not in show(tmp_path, "--language", "English")


def test_a_folder_without_splits_shows_its_halves(tmp_path):
    write(tmp_path, {"en.txt": "a\nb\nc\n", "de.txt": "x\ny\nz\n"})
    assert [part.title for part in open_parts(open_corpus(str(tmp_path)))] == ["split dev", "split devtest"]


def test_a_folder_of_pairs_shows_each(tmp_path):
    write(tmp_path, {f"{a}-en.{side}.txt": "a\nb\n" for a in ("de", "fr") for side in (a, "en")})
    parts = list(open_parts(open_corpus(str(tmp_path))))
    assert [(part.title, part.size) for part in parts] == [
        ("deu_Latn-eng_Latn", "2 pairs"),
        ("fra_Latn-eng_Latn", "2 pairs"),
    ]
    assert [part.title for part in open_parts(open_corpus(str(tmp_path)), languages=["French"])] == [
        "fra_Latn-eng_Latn"
    ]


def test_distractors_and_dropped_rows_are_told(tmp_path):
    bucc = {"zh-en.dev.zh": "z1\t一\nz2\t二\n", "zh-en.dev.en": "e1\tone\n", "zh-en.dev.gold": "z1\te1\n"}
    assert "zho_Hans-eng_Latn: 1 pair among 2 and 1 sentences" in show(write(tmp_path / "bucc", bucc))
    table = "id\tsentence1\tsentence2\tlabel\n1\ta b\tb a\t1\n2\tNS\tx\t1\n3\tc\td\t0\n"
    printed = show(write(tmp_path / "pawsx", {"de.tsv": table}))
    assert "paraphrases deu_Latn: 1 pair; dropped: 1 placeholder NS, 1 label other than 1" in printed


def test_running_text_in_a_folder_and_a_file(tmp_path):
    write(tmp_path, {"en.txt": f"{LONG}\n\nshort\n\n{LONG}2\n"})
    expected = f"text eng_Latn: 2 paragraphs, {2 * len(LONG):,} characters; dropped: 1 under 100 characters"
    assert expected in show(tmp_path)
    assert expected in show(tmp_path / "en.txt", "--language", "en")
    with pytest.raises(CorpusError, match="does not say its language"):
        list(open_parts(open_corpus(str(tmp_path / "en.txt"))))


def test_empty_lines_tell_running_text_whatever_the_line_ends(tmp_path):
    (tmp_path / "en.txt").write_bytes(f"{LONG}\r\n\r\n{LONG}2\r\n".encode())
    assert [part.title for part in open_parts(open_corpus(str(tmp_path)))] == ["text eng_Latn"]


def test_an_empty_line_in_one_file_is_reported_as_the_slip_it_is(tmp_path):
    write(tmp_path, {"en.txt": "a\n\nb\n", "de.txt": "x\ny\nz\n"})
    with pytest.raises(CorpusError, match="line 2 of eng_Latn is empty"):
        list(open_parts(open_corpus(str(tmp_path))))


def test_tables(tmp_path):
    rows = [{"en": "one", "de": "eins"}, {"en": "two", "de": "zwei"}]
    write(tmp_path, {"mine.jsonl": "\n".join(map(json.dumps, rows))})
    assert "split devtest: 2 languages x 1 sentence" in show(tmp_path / "mine.jsonl")
    write(tmp_path, {"pairs.csv": "sentence1,sentence2\na,b\n", "text.csv": f'text\n"{LONG}"\n'})
    assert "paraphrases eng_Latn: 1 pair" in show(tmp_path / "pairs.csv", "--language", "en")
    assert "text eng_Latn: 1 paragraph," in show(tmp_path / "text.csv", "--language", "en")


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("nowhere", {}, CorpusError, "no corpus and no folder 'nowhere'"),
        ("starter", {"languages": ["Spansh"]}, LanguageError, "Did you mean spanish"),
        ("starter", {"split": "train"}, CorpusError, "no split 'train'"),
    ],
)
def test_what_cannot_be_shown_is_an_error(name, options, error, message):
    with pytest.raises(error, match=message):
        list(open_parts(open_corpus(name), **options))


def test_a_folder_of_nothing_known_says_what_it_needs(tmp_path):
    with pytest.raises(CorpusError, match=r"holds no known corpus: it needs <split>/<code>\.txt"):
        list(open_parts(open_corpus(str(tmp_path))))


def test_the_lists_have_every_corpus_and_language():
    corpora = CliRunner().invoke(app, ["list", "corpora"]).output
    assert all(name in corpora for name in CORPORA)
    languages = CliRunner().invoke(app, ["list", "languages"]).output
    thai = next(line for line in languages.splitlines() if line.startswith("tha_Thai"))
    assert "PolyLM, XGLM" in thai
    assert "Aya" not in thai
