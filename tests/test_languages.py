import re

import pytest

import interlingua as il
from interlingua.errors import InputError, LanguageError
from interlingua.languages import (
    FLORES_LANGUAGES,
    PAPER_LANGUAGES,
    PAPER_TARGETS,
    language_name,
    language_of_name,
    parse_language,
    parse_languages,
    short_code,
)
from interlingua.pretraining import PRETRAINING, pretraining_of, seen_languages
from interlingua.study import load_config


@pytest.mark.parametrize("code", [*PAPER_LANGUAGES, "zho_Hans", "arb_Arab", "yor_Latn", "swh_Latn"])
def test_every_name_of_a_language_means_the_same(code):
    assert parse_language(code) == code
    assert parse_language(language_name(code)) == code
    assert parse_language(short_code(code)) == code
    assert parse_language(code.split("_")[0]) == code


@pytest.mark.parametrize(("text", "near"), [("Spansh", "spanish"), ("spa_Lat", "spa_latn"), ("Frnch", "french")])
def test_a_typo_is_answered_with_what_was_meant(text, near):
    with pytest.raises(LanguageError, match=f"(?i)unknown language '{text}'.*{near}"):
        parse_language(text)


@pytest.mark.parametrize("text", ["", "xx", "qqq", "no language", "README"])
def test_what_is_no_language_is_an_error(text):
    with pytest.raises(LanguageError, match="unknown language"):
        parse_language(text)


@pytest.mark.parametrize("code", ["prs_Arab", "tgl_Latn", "arb_Latn", "kas_Deva", "zho_Hant", "ydd_Hebr", "min_Arab"])
def test_a_flores_code_is_itself(code):
    assert parse_language(code) == code


def test_mandarin_is_chinese():
    assert {parse_language(name) for name in ("cmn", "Mandarin", "cmn_Hans", "zh", "Chinese")} == {"zho_Hans"}


def test_languages_are_kept_in_order_and_once():
    assert parse_languages(["fr", "Spanish", "fra_Latn"]) == ("fra_Latn", "spa_Latn")


def test_every_language_of_flores_is_itself():
    assert len(set(FLORES_LANGUAGES)) == 204
    assert parse_languages(FLORES_LANGUAGES) == FLORES_LANGUAGES


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("fas_Arab", "pes_Arab"),
        ("swa_Latn", "swh_Latn"),
        ("msa_Latn", "zsm_Latn"),
        ("orm_Ethi", "orm_Ethi"),
        ("jp", "jpn_Jpan"),
    ],
)
def test_a_macrolanguage_with_a_script_is_the_language_of_flores(text, code):
    assert parse_language(text) == code


def test_suggestions_reach_all_languages_of_flores():
    with pytest.raises(LanguageError, match="Did you mean swahili"):
        parse_language("Swahilli")


@pytest.mark.parametrize("name", ["id", "label", "url", "doc", "meta", "metadata_dev", "english_text", "text", "idx"])
def test_a_usual_name_of_a_column_is_no_language(name):
    assert language_of_name(name) is None


@pytest.mark.parametrize(
    ("model", "unseen"),
    [
        ("bigscience/bloom-7b1", "cs de el he it ja ko nl fa pl ro ru th tr uk"),
        ("CohereForAI/aya-23-8B", "th"),
        ("DAMO-NLP-MT/polylm-chat-13b", "cs el hi fa ro uk"),
        ("facebook/xglm-564M", "cs he nl fa pl ro uk"),
    ],
)
def test_unseen_languages_of_the_papers_22(model, unseen):
    seen = seen_languages(model)
    assert set(PAPER_LANGUAGES) - seen == set(parse_languages(unseen.split()))


def test_the_paper_s_22_are_the_union_over_aya_and_polylm_without_arabic_and_chinese():
    union = seen_languages("CohereForAI/aya-23-8B") | seen_languages("DAMO-NLP-MT/polylm-13b")
    assert union - {"arb_Arab", "zho_Hans", "zho_Hant"} == set(PAPER_LANGUAGES)
    # Of Bloom, as the paper's text has it, German and Japanese are absent; but it saw languages beyond the 22.
    bloom = seen_languages("bigscience/bloom-7b1")
    assert set(PAPER_TARGETS) - bloom == {"deu_Latn", "jpn_Jpan"}
    assert "cat_Latn" in bloom


@pytest.mark.parametrize(
    "model", ["models/bloom-560m", "hub/models--bigscience--bloom-7b1/snapshots/0123", "bloomz-7b1-mt"]
)
def test_a_folder_that_is_named_as_the_model_is_that_model(model):
    assert pretraining_of(model).family == "Bloom"


@pytest.mark.parametrize(
    "model",
    [
        "gemma3-270m",
        "google/gemma-3-1b-pt",
        "meta-llama/Llama-3.1-8B",
        "meta-llama/Meta-Llama-3-8B",
        "malteos/bloom-6b4-clp-german",  # trained further, on German
        "facebook/xglm-4.5B",
        "mistralai/Mistral-7B-v0.1",
        "somewhere/checkpoint",
    ],
)
def test_what_is_not_known_in_full_is_unknown(model):
    assert seen_languages(model) is None


def test_incomplete_lists_are_kept_apart():
    llama = pretraining_of("meta-llama/Llama-3.2-1B")
    assert not llama.complete
    assert llama.languages == set(parse_languages(["en", "de", "fr", "it", "pt", "hi", "es", "th"]))
    assert pretraining_of("google/gemma-3-270m").languages == frozenset()


def test_every_family_has_a_source_and_codes_that_flores_has():
    for known in PRETRAINING:
        assert known.source.startswith("https://")
        re.compile(known.models)
        assert known.languages <= {*FLORES_LANGUAGES}
    sizes = {known.family: len(known.languages) for known in PRETRAINING if known.complete}
    # Bloom's 46 and Aya's 23 have Chinese in two scripts; Aya counts it once.
    assert sizes == {"Bloom": 46, "Aya-23": 24, "PolyLM": 18, "XGLM": 30}


def test_a_study_can_say_what_its_model_has_seen():
    assert load_config(pretrained_languages=["Spanish", "en"]).pretrained_languages == ("spa_Latn", "eng_Latn")
    assert load_config().pretrained_languages is None
    with pytest.raises(InputError, match="pretrained_languages"):
        load_config(pretrained_languages=["Spansh"])
    assert il.seen_languages is seen_languages
