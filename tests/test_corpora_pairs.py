"""Corpora of pairs: bitext and paraphrases, in the layouts in which they come. All sentences are made up."""

import pytest

import interlingua as il
from interlingua.errors import CorpusError, LanguageError


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


PAWSX = "\n".join(
    [
        "id\tsentence1\tsentence2\tlabel",
        '1\tDer "alte" Turm steht im Dorf.\tIm Dorf steht der "alte" Turm.\t1',
        "2\tDer Turm ist rot.\tDer Turm ist blau.\t0",
        "3\tNS\tEr ging nach Haus.\t1",
        "4\tNS\tEr ging nach Haus.\t0",
        '5\tDer "alte" Turm steht im Dorf.\tEs steht im Dorf ein alter Turm.\t1',
        "6\tHans sah Lena.\tLena wurde von Hans gesehen.\t1",
    ]
)
BUCC = {
    "zh-en.dev.zh.tsv": "zh-1\t一\nzh-2\t二\nzh-3\t三\n",
    "zh-en.dev.en.tsv": "en-1\tfour\nen-2\ttwo\nen-3\tfive\nen-4\tone\n",
    "zh-en.dev.gold.tsv": "zh-2\ten-2\nzh-1\ten-4\n",
}


def test_bitext_of_two_languages(tmp_path):
    write(tmp_path, {"deu_Latn-eng_Latn.deu_Latn.txt": "ja\nnein\n", "deu_Latn-eng_Latn.eng_Latn.txt": "yes\nno\n"})
    corpus = il.open_corpus(tmp_path).pairs("de")
    assert corpus.languages == ("deu_Latn", "eng_Latn")
    assert (corpus.left, corpus.right, corpus.gold) == (("ja", "nein"), ("yes", "no"), ((0, 0), (1, 1)))
    swapped = il.open_corpus(tmp_path).pairs("English", "German")
    assert swapped == corpus.swapped()
    assert (swapped.languages, swapped.left) == (("eng_Latn", "deu_Latn"), ("yes", "no"))
    assert il.open_corpus(tmp_path).pairs() == corpus


def test_bitext_under_the_names_of_laser(tmp_path):
    write(tmp_path, {"tatoeba.cmn-eng.cmn": "一\n", "tatoeba.cmn-eng.eng": "one\n", "README.md": "no text"})
    assert il.open_corpus(tmp_path).pairs("zh").languages == ("zho_Hans", "eng_Latn")


def test_bucc_has_gold_pairs_and_distractors(tmp_path):
    corpus = il.open_corpus(write(tmp_path, BUCC)).pairs("zh", "en")
    assert corpus.split == "dev"
    assert [(corpus.left[i], corpus.right[j]) for i, j in corpus.gold] == [("二", "two"), ("一", "one")]
    assert corpus.distractors == (1, 2)
    assert corpus.aligned().left == ("二", "一")
    assert corpus.aligned().right == ("two", "one")
    assert corpus.aligned().distractors == (0, 0)
    swapped = corpus.swapped()
    assert [(swapped.left[i], swapped.right[j]) for i, j in swapped.gold] == [("two", "二"), ("one", "一")]


def test_a_limit_keeps_as_many_distractors(tmp_path):
    corpus = il.open_corpus(write(tmp_path, BUCC)).pairs(limit=1)
    assert (corpus.left, corpus.right) == (("二", "三"), ("four", "two"))
    assert [(corpus.left[i], corpus.right[j]) for i, j in corpus.gold] == [("二", "two")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"zh-en.dev.gold.tsv": "zh-9\ten-2\n"}, r"gold\.tsv' line 1: 'zh-9 en-2' is not a pair"),
        ({"zh-en.dev.zh.tsv": "zh-1\t一\nzh-2 二\n"}, r"zh\.tsv' line 2 has 1 tab-separated fields, line 1 has 2"),
        ({"zh-en.dev.zh.tsv": "zh-1\t一\nzh-1\t二\n"}, r"zh\.tsv' line 2: the identifier zh-1 appears twice"),
        ({"zh-en.dev.zh.tsv": "zh-1\t一\nzh-2\t\n"}, "is empty in line 2"),
    ],
)
def test_a_bad_file_of_bucc_is_an_error_with_its_line(tmp_path, change, message):
    with pytest.raises(CorpusError, match=message):
        il.open_corpus(write(tmp_path, {**BUCC, **change})).pairs()


@pytest.mark.parametrize("name", ["de.tsv", "de/test_2k.tsv"])
def test_pawsx_keeps_what_means_the_same_and_counts_the_rest(tmp_path, name):
    corpus = il.open_corpus(write(tmp_path, {name: PAWSX})).pairs("German")
    assert corpus.languages == ("deu_Latn", "deu_Latn")
    assert corpus.left == ('Der "alte" Turm steht im Dorf.', "Hans sah Lena.")  # a quote is text
    assert corpus.right == ('Im Dorf steht der "alte" Turm.', "Lena wurde von Hans gesehen.")
    assert corpus.dropped == {"placeholder NS": 2, "label other than 1": 1, "repeated": 1}
    assert not corpus.warnings


def test_splits_of_pairs_are_never_guessed(tmp_path):
    write(tmp_path / "flat", {"de.tsv": PAWSX, "de-en.de.txt": "ja\n", "de-en.en.txt": "yes\n"})
    for languages in (["de"], ["de", "de"], ["de", "en"]):
        with pytest.raises(CorpusError, match="has no splits, so no 'train'"):
            il.open_corpus(tmp_path / "flat").pairs(*languages, split="train")
    write(tmp_path / "deep", {"de/dev_2k.tsv": PAWSX, "de/train.tsv": PAWSX})
    assert il.open_corpus(tmp_path / "deep").pairs("de", split="dev").split == "dev"
    with pytest.raises(CorpusError, match="has several splits; name one of dev, train"):
        il.open_corpus(tmp_path / "deep").pairs("de")


def test_tables_that_are_named_for_no_language_are_passed_over(tmp_path):
    write(tmp_path, {"de.tsv": PAWSX, "metadata_dev.tsv": "a\tb\tc\n"})
    assert il.open_corpus(tmp_path).pairs().languages == ("deu_Latn", "deu_Latn")


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "ja"])
def test_starter_has_paraphrases(language):
    corpus = il.open_corpus("starter").pairs(language)
    assert len(corpus) == 100
    assert corpus.left == il.open_corpus("starter").parallel("devtest", languages=[language])[corpus.languages[0]]
    assert not set(corpus.left) & set(corpus.right)


def test_duplicates_are_counted_and_can_be_left_out(tmp_path):
    write(tmp_path, {"de-en.de.txt": "ja\nnein\nja\n", "de-en.en.txt": "yes\nno\nindeed\n"})
    corpus = il.open_corpus(tmp_path).pairs()
    assert [(w.kind, w.part, w.count) for w in corpus.warnings] == [("duplicates", "deu_Latn", 1)]
    unique = il.open_corpus(tmp_path).pairs(drop_duplicates=True)
    assert (unique.left, unique.right, unique.dropped) == (("ja", "nein"), ("yes", "no"), {"repeated": 1})


@pytest.mark.parametrize(
    ("languages", "error", "message"),
    [
        (("it",), LanguageError, "has no pair ita_Latn; it has deu_Latn-eng_Latn, fra_Latn-eng_Latn"),
        ((), LanguageError, "has several pairs; name the languages of one"),
        (("de", "fr"), LanguageError, "has no pair deu_Latn-fra_Latn"),
        (("fr",), CorpusError, "is not aligned: fra_Latn has 1 lines, eng_Latn has 2"),
    ],
)
def test_a_pair_that_is_absent_or_not_aligned_is_an_error(tmp_path, languages, error, message):
    write(
        tmp_path,
        {"de-en.de.txt": "ja\n", "de-en.en.txt": "yes\n", "fr-en.fr.txt": "oui\n", "fr-en.en.txt": "yes\nno\n"},
    )
    with pytest.raises(error, match=message):
        il.open_corpus(tmp_path).pairs(*languages)


def test_one_side_alone_is_an_error(tmp_path):
    with pytest.raises(CorpusError, match="one side of deu_Latn-eng_Latn only; eng_Latn is missing"):
        il.open_corpus(write(tmp_path, {"de-en.de.txt": "ja\n"})).pairs()


def test_gold_outside_the_sides_is_an_error():
    with pytest.raises(CorpusError, match=r"gold pair \(0, 1\) points outside"):
        il.PairCorpus("mine", "test", ("deu_Latn", "eng_Latn"), ("ja",), ("yes",), ((0, 1),))


def test_fingerprint_names_the_text_and_the_pairs():
    corpus = il.PairCorpus("mine", "test", ("deu_Latn", "eng_Latn"), ("ja", "nein"), ("no", "yes"), ((0, 1), (1, 0)))
    renamed = il.PairCorpus("other", "dev", corpus.languages, corpus.left, corpus.right, corpus.gold)
    other_gold = il.PairCorpus("mine", "test", corpus.languages, corpus.left, corpus.right, ((0, 0), (1, 1)))
    assert corpus.fingerprint() == renamed.fingerprint() != other_gold.fingerprint()


def test_paraphrases_keep_their_sides_when_the_language_is_named_twice(tmp_path):
    rows = "id\tsentence1\tsentence2\tlabel\n1\tja\tdoch\t1\n2\tnein\tnie\t1\n"
    folder = write(tmp_path, {"de.tsv": rows})
    assert il.open_corpus(folder).pairs("de", "de") == il.open_corpus(folder).pairs("de")
    assert il.open_corpus(folder).pairs("de", "de").left == ("ja", "nein")


def test_bitexts_are_what_corpora_pair_with_english(tmp_path, caplog):
    write(tmp_path, {"de-en.de.txt": "ja\nnein\n", "de-en.en.txt": "yes\nno\n"})
    name = str(tmp_path)
    found = il.load_bitexts([name], ["deu_Latn", "fra_Latn"], 1)
    assert list(found) == [(name, "deu_Latn")]
    assert (found[name, "deu_Latn"].left, found[name, "deu_Latn"].right) == (("ja",), ("yes",))
    assert not caplog.records
    assert il.load_bitexts([name], ["fra_Latn"]) == {}
    assert "pairs none of the languages" in caplog.text
    with pytest.raises(LanguageError, match="has no pair fra_Latn"):
        il.load_bitexts([name], ["deu_Latn", "fra_Latn"], every_language=True)


def test_a_corpus_without_pairs_is_no_bitext(tmp_path):
    with pytest.raises(CorpusError):
        il.load_bitexts([str(write(tmp_path, {"de.txt": "ja\n"}))], ["deu_Latn"])
