"""Which language a text is in: langid and lingua against their own answers, shares against arithmetic by hand."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langid.langid import LanguageIdentifier, model

import interlingua as il
from interlingua.errors import InputError, LanguageError, MissingExtraError
from interlingua.languages import PAPER_LANGUAGES, parse_language
from interlingua.measures import identification
from interlingua.measures.identification import Identified, identify, language_shares

CORPUS = il.open_corpus("starter").parallel("devtest", limit=3)
TEXTS = [" ".join(CORPUS[code]) for code in CORPUS.languages]


@pytest.mark.parametrize("name", ["langid", "lingua"])
def test_the_starter_corpus_is_in_the_languages_that_it_says(name):
    if name == "lingua":
        pytest.importorskip("lingua")
    identified = identify(TEXTS, name)
    assert identified.posteriors.sum(axis=1) == pytest.approx(1)
    assert set(PAPER_LANGUAGES) | {"zho_Hans", "tgl_Latn"} <= set(identified.languages)
    right = identified.table().language == list(CORPUS.languages)
    assert right.mean() > 0.9


def test_posteriors_are_those_of_langid_itself():
    reference = LanguageIdentifier.from_modelstring(model, norm_probs=True)
    identified = identify(TEXTS)
    assert identified.identifier == "langid 1.1.6"
    for text, row, table in zip(TEXTS, identified.posteriors, identified.table().itertuples(), strict=True):
        label, probability = reference.classify(text)
        assert table.language == parse_language(label)
        assert table.posterior == pytest.approx(probability)
        posteriors = dict(reference.rank(text))
        assert row[identified.languages.index("nob_Latn")] == pytest.approx(posteriors["nb"] + posteriors["no"])


@pytest.mark.parametrize("name", ["langid", "lingua"])
def test_a_text_of_nothing_is_in_no_language(name):
    if name == "lingua":
        pytest.importorskip("lingua")
    identified = identify(["", " \n", "el gato duerme en la casa"], name)
    assert identified.table().language.isna().tolist() == [True, True, False]
    assert identified.table().posterior[:2].tolist() == [0, 0]
    shares = language_shares(identified, ["es", "en"])
    assert shares.share.tolist() == pytest.approx([1 / 3, 0])


@given(st.integers(1, 40), st.integers(1, 3), st.integers(0, 100))
def test_shares_and_errors_equal_those_by_hand(n, seeds, seed):
    random = np.random.default_rng(seed)
    posteriors = random.dirichlet([0.3, 0.3, 0.3], size=n * seeds)
    of_text = np.repeat(np.arange(seeds), n)
    table = language_shares(Identified("x", ("eng_Latn", "fra_Latn", "spa_Latn"), posteriors), ["fr"], list(of_text))
    assert list(table.columns) == [
        "seed", "n", "identifier", "language", "share", "share_se", "posterior", "posterior_se",
    ]  # fmt: skip
    assert table.seed.tolist() == list(range(seeds))
    for row in table.itertuples():
        of_seed = posteriors[of_text == row.seed]
        share = (of_seed.argmax(axis=1) == 1).mean()
        assert (row.n, row.language) == (n, "fra_Latn")
        assert row.share == pytest.approx(share)
        assert row.posterior == pytest.approx(of_seed[:, 1].mean())
        if n == 1:
            assert np.isnan(row.share_se)
        else:  # of a share, the unbiased error is sqrt(p (1 - p) / (n - 1))
            assert row.share_se == pytest.approx(np.sqrt(share * (1 - share) / (n - 1)))
            assert row.posterior_se == pytest.approx(of_seed[:, 1].std(ddof=1) / np.sqrt(n))


def test_without_seeds_all_texts_are_one_sample():
    table = language_shares(identify(TEXTS), ["es", "ja"])
    assert "seed" not in table
    assert table.n.tolist() == [len(TEXTS)] * 2
    assert table.share.tolist() == pytest.approx([1 / len(TEXTS)] * 2)


def test_wrong_arguments_are_errors(monkeypatch):
    with pytest.raises(InputError, match="unknown identifier 'cld'; use langid, lingua"):
        identify(["a"], "cld")
    with pytest.raises(InputError, match="a list of texts, not one string"):
        identify("el gato")
    with pytest.raises(LanguageError, match="cannot identify yor_Latn; it knows afr_Latn"):
        language_shares(identify(["a b c"]), ["Yoruba"])
    with pytest.raises(InputError, match="1 seeds for 2 texts"):
        language_shares(identify(["a", "b"]), ["es"], [0])
    monkeypatch.setitem(sys.modules, "lingua", None)
    identification._load.cache_clear()
    with pytest.raises(MissingExtraError, match=r"pip install 'interlingua\[identify\]'"):
        identify(["a"], "lingua")


def test_any_identifier_will_do_and_progress_is_shown(bars):
    class Always:
        name = "always Spanish"
        languages = ("eng_Latn", "spa_Latn")

        def posteriors(self, texts):
            return np.array([[0.25, 0.75]] * len(texts))

    identified = identify(["x"] * 100, Always())
    assert (identified.table().language == "spa_Latn").all()
    assert bars.shown[0].seen == [0, 64, 100]
    assert language_shares(identified, ["es"]).posterior[0] == pytest.approx(0.75)
