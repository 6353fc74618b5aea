"""Languages: FLORES-200 codes inside, every usual name of a language accepted at the door.

A FLORES-200 code is an ISO 639-3 code and an ISO 15924 script: `spa_Latn`, `zho_Hans`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from importlib import resources

import langcodes
from langcodes.data_dicts import LANGUAGE_ALPHA3, LANGUAGE_ALPHA3_BIBLIOGRAPHIC, LIKELY_SUBTAGS

from interlingua.errors import LanguageError

PAPER_TARGETS = ("eng_Latn", "deu_Latn", "fra_Latn", "spa_Latn", "jpn_Jpan")
"""The five languages that the paper steers to (section 3.1)."""

PAPER_PROBE_LANGUAGES = (*PAPER_TARGETS, "zho_Hans")
"""The languages of the paper's probing set; Chinese is a negative only (section 3.2)."""

# fmt: off
PAPER_LANGUAGES = (
    "tha_Thai", "ces_Latn", "deu_Latn", "ell_Grek", "eng_Latn", "fra_Latn", "heb_Hebr", "hin_Deva", "ind_Latn",
    "ita_Latn", "jpn_Jpan", "kor_Hang", "nld_Latn", "pes_Arab", "pol_Latn", "por_Latn", "ron_Latn", "rus_Cyrl",
    "spa_Latn", "tur_Latn", "ukr_Cyrl", "vie_Latn",
)
# fmt: on
"""The 22 languages of the paper's evaluation (table 4)."""


def _table(name: str) -> dict[str, str]:
    text = resources.files("interlingua").joinpath(f"data/{name}").read_text(encoding="utf-8")
    return dict(line.split("\t") for line in text.splitlines())


FLORES_NAMES = _table("flores200.tsv")
"""The 204 languages of FLORES-200 with their English names, as its table has them (NLLB Team 2022)."""

FLORES_LANGUAGES = tuple(FLORES_NAMES)
"""The codes of the 204 languages of FLORES-200."""

_DEFAULT_SCRIPTS = {
    "ace": "Latn", "arb": "Arab", "bjn": "Latn", "kas": "Arab", "knc": "Latn", "min": "Latn", "taq": "Latn",
    "zho": "Hans",
}  # fmt: skip
"""The script that is meant by the bare code of a language that FLORES-200 has in two."""

_OUTSIDE_FLORES = {"fuc": "Latn", "hmn": "Latn", "mey": "Arab", "shi": "Arab"}
"""The scripts in which NTREX-128 has languages that FLORES-200 lacks, where Unicode has none or another."""

_BASES = {code.partition("_")[0]: code for code in FLORES_LANGUAGES} | {
    base: f"{base}_{script}" for base, script in _DEFAULT_SCRIPTS.items()
}
_FLORES_OF_MACROLANGUAGE = {
    "ara": "arb", "aym": "ayr", "aze": "azj", "din": "dik", "fas": "pes", "fil": "tgl", "ful": "fuv", "kau": "knc",
    "kur": "kmr", "lav": "lvs", "mlg": "plt", "mon": "khk", "msa": "zsm", "nep": "npi", "nor": "nob", "ori": "ory",
    "orm": "gaz", "pus": "pbt", "que": "quy", "sqi": "als", "swa": "swh", "tmh": "taq", "uzb": "uzn", "yid": "ydd",
}  # fmt: skip
_FLORES_OF_INDIVIDUAL = {"cmn": "zho", "ekk": "est", "gug": "grn", "kng": "kon"}
"""FLORES-200 mostly names the individual language where ISO 639-1 names a macrolanguage, and here the reverse."""

_IN_ANOTHER_SCRIPT = {("aze", "Arab"): "azb_Arab", ("kur", "Arab"): "ckb_Arab"}
_IN_ANOTHER_REGION = {("fas", "AF"): "prs_Arab", ("aze", "IR"): "azb_Arab"}
_SCRIPTS_OF_FLORES = {"Kore": "Hang", "Jamo": "Hang", "Hrkt": "Jpan", "Hira": "Jpan", "Kana": "Jpan"}
_SCRIPT_NAMES = {
    "arabic": "Arab", "bengali": "Beng", "cyrillic": "Cyrl", "devanagari": "Deva", "latin": "Latn",
    "roman": "Latn", "romanized": "Latn", "simplified": "Hans", "tifinagh": "Tfng", "traditional": "Hant",
}  # fmt: skip
NO_LANGUAGE = ("und", "mul", "zxx", "mis", "hbs")
"""Codes of no one language: undetermined, several, none, uncoded; and Serbo-Croatian, which is now three or four."""

_TAG = re.compile(r"(?P<language>[a-z]{2,3})([-_](?P<script>[a-z]{4}))?([-_](?P<region>[a-z]{2}|\d{3}))?", re.I)
_FLORES_CODE = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
_ALIASES = {
    "chinese": "zho_Hans", "cn": "zho_Hans", "cz": "ces_Latn", "gr": "ell_Grek", "jp": "jpn_Jpan", "kr": "kor_Hang",
    "mandarin": "zho_Hans", "mandarin chinese": "zho_Hans", "panjabi": "pan_Guru", "ua": "ukr_Cyrl",
}  # fmt: skip
_NAMES = {text.lower(): code for code, name in FLORES_NAMES.items() for text in (code, name)} | _ALIASES
_TERMINOLOGICAL = {
    bibliographic: LANGUAGE_ALPHA3[code] for code, bibliographic in LANGUAGE_ALPHA3_BIBLIOGRAPHIC.items()
}
"""ISO 639-2 has two codes for some languages, of which ISO 639-3 kept one: `ger` is `deu`."""


def parse_language(text: str) -> str:
    """Return the FLORES-200 code of a language given as FLORES-200, BCP 47, ISO 639-1/3 or English name.

    Args:
        text: For example `spa_Latn`, `es`, `spa`, `es-MX`, `Spanish`, `Serbian (Latin)`, or `jp` as in the paper's
            tables.

    Raises:
        LanguageError: The language is unknown, or its script cannot be told; the message suggests near ones.

    Example:
        >>> [parse_language(text) for text in ("es", "spa", "Spanish", "fa", "Dari", "zh-TW", "jp")]
        ['spa_Latn', 'spa_Latn', 'spa_Latn', 'pes_Arab', 'prs_Arab', 'zho_Hant', 'jpn_Jpan']
    """
    name = " ".join(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    code = _NAMES.get(name.lower()) or _code_of_tag(name) or _code_of_name(name)
    if code is None:
        raise LanguageError(_unknown(text.strip()))
    return code


def _code_of_tag(tag: str) -> str | None:
    """Return the code of a language that is given as a code, with a script or a region or neither."""
    parts = _TAG.fullmatch(tag)
    if parts is None:
        return None
    code = parts["language"].lower()
    language = langcodes.get(code)
    # A code of three letters as it stands: langcodes would make Dari a Persian of Afghanistan.
    alpha3 = _TERMINOLOGICAL.get(code, code) if len(code) == 3 else _alpha3(language)
    if alpha3 in ("", *NO_LANGUAGE) or code == "sh" or not _is_known(language):
        return None
    base = (_FLORES_OF_MACROLANGUAGE | _FLORES_OF_INDIVIDUAL).get(alpha3, alpha3)
    region = (parts["region"] or "").upper()
    if (alpha3, region) in _IN_ANOTHER_REGION:
        return _IN_ANOTHER_REGION[alpha3, region]
    likely = _likely_scripts(language, region)
    of_flores = _OUTSIDE_FLORES.get(base) or _BASES.get(base, "").partition("_")[2]
    script = (parts["script"] or "").title() or (region and likely.get(region)) or of_flores or likely.get("", "")
    if not script or not langcodes.get(f"und-{script}").is_valid():
        return None
    script = _SCRIPTS_OF_FLORES.get(script, script)
    if (alpha3, script) in _IN_ANOTHER_SCRIPT:
        return _IN_ANOTHER_SCRIPT[alpha3, script]
    individual = f"{base}_{script}"
    return f"{alpha3}_{script}" if parts["script"] and individual not in FLORES_NAMES else individual


def _code_of_name(name: str) -> str | None:
    """Return the code of a language that is given by an English name, perhaps with a script in brackets."""
    if "_" in name:  # `find` would take metadata_dev for the language Meta'
        return None
    found = re.fullmatch(r"(.+?) \((.+?)( script)?\)", name, re.I)
    script = _SCRIPT_NAMES.get(found[2].lower()) if found else ""
    if script is None:
        return None
    try:
        tag = langcodes.find(found[1] if found else name)
    except LookupError:
        return None
    return _code_of_tag("-".join(part for part in (tag.language, script or tag.script, tag.territory) if part))


def _alpha3(language: langcodes.Language) -> str:
    try:
        return language.to_alpha3()
    except LookupError:
        return ""


def _is_known(language: langcodes.Language) -> bool:
    return language.is_valid() and not language.language_name().startswith("Unknown language")


def _likely_scripts(language: langcodes.Language, region: str) -> dict[str, str]:
    """Return the scripts that Unicode's table of likely subtags has: by the region, and by nothing for all regions."""
    tags = {region: f"{language.language}-{region}", "": str(language.language)}
    return {
        place: langcodes.get(LIKELY_SUBTAGS[tag]).script or "" for place, tag in tags.items() if tag in LIKELY_SUBTAGS
    }


def parse_languages(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of several languages in the order given, each once."""
    return tuple(dict.fromkeys(parse_language(text) for text in texts))


def language_of_name(name: str) -> str | None:
    """Return the language that a column or a file is named for, or `None` if it seems to be named for something else.

    Every code is a language's somewhere: `label`, `url` and `doc` are too. So this takes full codes, and the codes and
    names of FLORES-200's languages, but not `id` and `no`, which are identifiers and numbers more often than Indonesian
    and Norwegian.

    Example:
        >>> [language_of_name(name) for name in ("en", "Spanish", "sentence_deu_Latn", "ind", "id", "label")]
        ['eng_Latn', 'spa_Latn', 'deu_Latn', 'ind_Latn', None, None]
    """
    text = name.strip().removeprefix("sentence_")
    try:
        code = parse_language(text)
    except LanguageError:
        return None
    known = code in FLORES_LANGUAGES and text.lower() not in ("id", "no")
    return code if known or _FLORES_CODE.fullmatch(text) else None


def language_name(code: str) -> str:
    """Return the English name of a FLORES-200 code.

    Example:
        >>> language_name("spa_Latn"), language_name("pes_Arab"), language_name("zho_Hans")
        ('Spanish', 'Persian', 'Chinese')
    """
    return _usual(code).language_name()


def short_code(code: str) -> str:
    """Return the shortest usual code of a language, for the axes of figures.

    Example:
        >>> short_code("spa_Latn"), short_code("pes_Arab")
        ('es', 'fa')
    """
    return str(_usual(code))


def _usual(code: str) -> langcodes.Language:
    """Return a language by its usual ISO 639 code: that of its macrolanguage, where it has one."""
    base = code.split("_")[0]
    macrolanguages = {individual: macro for macro, individual in _FLORES_OF_MACROLANGUAGE.items()}
    base = macrolanguages.get(base, base)
    usual = langcodes.get(base)
    return langcodes.get(base, normalize=False) if usual.territory else usual  # Dari is `prs`, not `fa-AF`


def _unknown(text: str) -> str:
    names = {language_name(code).lower() for code in FLORES_LANGUAGES}
    codes = {code.lower() for code in FLORES_LANGUAGES}
    near = difflib.get_close_matches(text.lower(), sorted(names | codes), n=3, cutoff=0.75)
    suggestion = f" Did you mean {' or '.join(near)}?" if near else ""
    return (
        f"unknown language '{text}'.{suggestion} Use a FLORES-200 code such as spa_Latn, an ISO 639 code such "
        "as es or spa, or an English name; 'interlingua list languages' prints them."
    )
