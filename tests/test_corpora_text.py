"""Running text: paragraphs for perplexity. All of it is made up."""

import pytest

import interlingua as il
from interlingua.corpora.text import first_paragraphs
from interlingua.errors import CorpusError, LanguageError

LONG = "A paragraph that is long enough to count as running text, and not as a heading of some article. " * 2


def test_short_paragraphs_are_dropped_and_counted(tmp_path):
    (tmp_path / "eng_Latn.txt").write_text(f"Heading\n\n{LONG}\n\n{LONG}2\nshort\n", encoding="utf-8")
    corpus = il.open_corpus(tmp_path).text("English")
    assert corpus.paragraphs == (LONG.strip(), f"{LONG}2")
    assert corpus.dropped == {"under 100 characters": 2}
    assert corpus.text == f"{LONG.strip()}\n{LONG}2"
    assert len(il.open_corpus(tmp_path).text("en", min_length=1)) == 4
    assert il.open_corpus(tmp_path / "eng_Latn.txt").text("en").fingerprint() == corpus.fingerprint()


def test_bounds_in_paragraphs_and_characters():
    paragraphs = iter(["aa", "bb", "cc", "dd"])
    assert first_paragraphs(paragraphs, characters=3) == ("aa", "bb")
    assert next(paragraphs) == "cc"  # nothing more was consumed
    assert first_paragraphs(["aa", "bb"], limit=1, characters=100) == ("aa",)
    assert first_paragraphs(["aa", "bb"]) == ("aa", "bb")


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "jp"])
def test_starter_has_running_text(language):
    corpus = il.open_corpus("starter").text(language)
    assert len(corpus) == 20
    assert not corpus.dropped
    assert not corpus.warnings
    assert len(il.open_corpus("starter").text(language, characters=1)) == 1


def test_repeated_paragraphs_are_a_warning(tmp_path):
    (tmp_path / "en.txt").write_text(f"{LONG}\n{LONG}\n", encoding="utf-8")
    assert [(w.kind, w.count, w.first) for w in il.open_corpus(tmp_path).text("en").warnings] == [("duplicates", 1, 2)]


def test_what_is_not_there_is_an_error(tmp_path):
    (tmp_path / "en.txt").write_text("short\n", encoding="utf-8")
    (tmp_path / "de.txt").write_bytes(b"gut\nschlecht \xff\n")
    with pytest.raises(CorpusError, match="no paragraphs; 1 dropped: under 100 characters"):
        il.open_corpus(tmp_path).text("en")
    with pytest.raises(CorpusError, match=r"de\.txt' is not UTF-8: byte 13, on line 2"):
        il.open_corpus(tmp_path).text("de")
    with pytest.raises(LanguageError, match="no text in ita_Latn; it has deu_Latn, eng_Latn"):
        il.open_corpus(tmp_path).text("it")
    with pytest.raises(LanguageError, match="starter' has paraphrases and running text in"):
        il.open_corpus("starter").text("it")
    with pytest.raises(CorpusError, match="no corpus and no folder 'nowhere'"):
        il.open_corpus("nowhere").text("en")


def test_fingerprint_names_the_text_and_nothing_else():
    one = il.TextCorpus("mine", "text", "eng_Latn", ("a b", "c"))
    assert one.fingerprint() == il.TextCorpus("other", "train", "eng_Latn", ("a b", "c")).fingerprint()
    assert one.fingerprint() != il.TextCorpus("mine", "text", "eng_Latn", ("a b c",)).fingerprint()
