import pytest

from interlingua.errors import LanguageError
from interlingua.languages import PAPER_LANGUAGES, language_name, parse_language, parse_languages, short_code


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
