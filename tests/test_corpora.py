import pytest
from hypothesis import given
from hypothesis import strategies as st

import interlingua as il
from interlingua.corpora import CORPORA
from interlingua.errors import CorpusError, LanguageError
from interlingua.languages import PAPER_LANGUAGES


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@pytest.mark.parametrize("split", ["dev", "devtest"])
def test_starter_has_100_sentences_in_all_languages_of_the_paper_and_chinese(split):
    corpus = il.open_corpus("starter").parallel(split)
    assert set(corpus.languages) == {*PAPER_LANGUAGES, "zho_Hans"}
    assert len(corpus) == 100


def test_starter_has_no_other_split():
    with pytest.raises(CorpusError, match="no split 'text'"):
        il.open_corpus("starter").parallel("text")


def test_splits_of_starter_share_no_sentence():
    dev, devtest = il.open_corpus("starter").parallel("dev"), il.open_corpus("starter").parallel("devtest")
    for code in dev.languages:
        assert not set(dev[code]) & set(devtest[code])


def test_a_folder_without_splits_is_halved(tmp_path):
    write(tmp_path, {"en.txt": "a\nb\nc\n", "Spanish.txt": "x\ny\nz"})
    assert il.open_corpus(tmp_path).parallel("dev").sentences == {"spa_Latn": ("x",), "eng_Latn": ("a",)}
    assert il.open_corpus(tmp_path).parallel("devtest").sentences == {"spa_Latn": ("y", "z"), "eng_Latn": ("b", "c")}


def test_a_licence_beside_the_splits_is_no_language(tmp_path):
    write(tmp_path, {"LICENSE.txt": "terms\n", "dev/en.txt": "a\n", "dev/es.txt": "x\n"})
    assert il.open_corpus(tmp_path).parallel().languages == ("eng_Latn", "spa_Latn")


def test_limit_and_languages(corpus_folder):
    corpus = il.open_corpus(corpus_folder).parallel("devtest", languages=["Japanese", "en"], limit=3)
    assert corpus.languages == ("jpn_Jpan", "eng_Latn")
    assert len(corpus) == 3


def test_line_separators_inside_a_sentence_do_not_break_it(tmp_path):
    write(tmp_path, {"dev/en.txt": "one\u2028still one\r\ntwo\n", "dev/es.txt": "\ufeffuno\ndos"})
    corpus = il.open_corpus(tmp_path).parallel()
    assert corpus["eng_Latn"] == ("one\u2028still one", "two")
    assert corpus["spa_Latn"] == ("uno", "dos")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"dev/en.txt": "a\nb\n", "dev/es.txt": "x\n"}, r"not aligned.*spa_Latn 1, eng_Latn 2"),
        ({"dev/en.txt": "a\n\nb\n", "dev/es.txt": "x\ny\nz\n"}, "line 2 of eng_Latn is empty"),
        ({"dev/en.txt": "", "dev/es.txt": "x\n"}, r"en\.txt' is empty"),
        ({"dev/en.txt": b"fine\nbad \xff\n"}, r"en\.txt' is not UTF-8: byte 9, on line 2"),
        ({"dev/en.txt": "a\n", "dev/eng.txt": "b\n"}, "are both eng_Latn"),
        ({"test/en.txt": "a\n"}, "no split 'dev'; it has test"),
        ({"notes.md": "a\n"}, "holds no text"),
        ({"en.txt": "a\n"}, "too few to be halved"),
    ],
)
def test_a_bad_folder_is_an_error_that_says_what_and_where(tmp_path, files, message):
    with pytest.raises(CorpusError, match=message):
        il.open_corpus(write(tmp_path, files)).parallel()


def test_a_file_that_is_named_for_no_language_is_an_error(tmp_path):
    with pytest.raises(LanguageError, match=r"README\.txt' is not named for a language"):
        il.open_corpus(write(tmp_path, {"dev/README.txt": "a\n"})).parallel()


def test_an_unknown_name_is_an_error():
    with pytest.raises(CorpusError, match=r"no corpus and no folder 'starte'.*starter"):
        il.open_corpus("starte").parallel()


def test_an_absent_language_is_an_error():
    with pytest.raises(LanguageError, match="has no yor_Latn"):
        il.open_corpus("starter").parallel(languages=["Yoruba"])


def test_fingerprint_names_the_text_and_nothing_else(corpus):
    renamed = il.ParallelCorpus("other", "dev", dict(reversed(list(corpus.sentences.items()))))
    changed = il.ParallelCorpus("tiny", "dev", {**corpus.sentences, "eng_Latn": corpus["spa_Latn"]})
    assert corpus.fingerprint() == renamed.fingerprint() != changed.fingerprint()


def test_every_registered_corpus_is_described_as_data():
    for name, source in CORPORA.items():
        assert name == source.name
        assert source.shapes and source.languages and (source.splits or source.shapes == ("text",))
        assert source.licence and source.citation and source.description and source.provenance
        assert len(set(source.languages)) == len(source.languages)
        if source.repository:
            assert len(source.revision) == 40  # a commit, not a branch that moves
            assert source.layout


def test_what_is_unusual_is_kept_as_data(tmp_path):
    write(tmp_path, {"dev/fr.txt": "e\u0301te\u0301\noui\nnon\x07\noui\n", "dev/de.txt": "a\nb\nc\nd\n"})
    corpus = il.open_corpus(tmp_path).parallel()
    assert [(w.kind, w.part, w.count, w.first) for w in corpus.warnings] == [
        ("not NFC", "fra_Latn", 1, 1),
        ("control characters", "fra_Latn", 1, 3),
        ("duplicates", "fra_Latn", 1, 4),
    ]
    assert str(corpus.warnings[2]).startswith("fra_Latn: 1 line that repeats an earlier one")
    assert corpus.first(2).warnings == corpus.warnings[:1]
    assert corpus.only(["de"]).warnings == ()


def test_duplicates_go_in_every_language_at_once(tmp_path):
    write(tmp_path, {"dev/en.txt": "go\nrun\ngo\nsit\n", "dev/de.txt": "geh\nlauf\nlos\nlauf\n"})
    corpus = il.open_corpus(tmp_path).parallel(drop_duplicates=True)
    assert corpus.sentences == {"deu_Latn": ("geh", "lauf"), "eng_Latn": ("go", "run")}
    assert corpus.dropped == {"repeated": 2}
    assert not corpus.warnings
    assert len(il.open_corpus(tmp_path).parallel()) == 4


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1))
def test_without_duplicates_is_what_a_quadratic_search_keeps(rows):
    corpus = il.ParallelCorpus(
        "any", "dev", {"eng_Latn": tuple(a for a, _ in rows), "deu_Latn": tuple(b for _, b in rows)}
    )
    kept = []
    for a, b in rows:
        if all(a != c and b != d for c, d in kept):
            kept.append((a, b))
    unique = corpus.without_duplicates()
    assert list(zip(unique["eng_Latn"], unique["deu_Latn"], strict=True)) == kept
    assert unique.dropped["repeated"] == len(rows) - len(kept)


def test_a_folder_of_pairs_says_which_loader_reads_it(tmp_path):
    write(tmp_path, {"deu-eng.deu.txt": "ja\n", "deu-eng.eng.txt": "yes\n"})
    with pytest.raises(CorpusError, match=r"use \.pairs\(\)"):
        il.open_corpus(tmp_path).parallel()
    with pytest.raises(CorpusError, match=r"'pawsx' is not a multi-parallel corpus; read it with \.pairs\(\)"):
        il.open_corpus("pawsx").parallel()


def test_a_limit_below_one_is_an_error():
    with pytest.raises(CorpusError, match="limit must be at least 1, not 0"):
        il.open_corpus("starter").parallel(limit=0)
