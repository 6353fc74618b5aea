"""Languages: FLORES-200 codes inside, every usual name of a language accepted at the door.

A FLORES-200 code is an ISO 639-3 code and an ISO 15924 script: `spa_Latn`, `zho_Hans`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import langcodes

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

# FLORES-200 names an individual language where ISO 639-1 names a macrolanguage.
_FLORES_OF_MACROLANGUAGE = {
    "ara": "arb", "aze": "azj", "fas": "pes", "fil": "tgl", "kur": "kmr", "lav": "lvs",
    "mlg": "plt", "mon": "khk", "msa": "zsm", "nep": "npi", "nor": "nob", "ori": "ory", "orm": "gaz",
    "pus": "pbt", "que": "quy", "sqi": "als", "swa": "swh", "uzb": "uzn", "yid": "ydd",
}  # fmt: skip
_CODE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?")  # language, script, region
_FLORES_CODE = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
_FLORES_OF_SCRIPT = {"Kore": "Hang"}
_ALIASES = {
    "mandarin": "zh",
    "cmn": "zh",
    "cmn_hans": "zh-Hans",
    "cmn_hant": "zh-Hant",
    "jp": "ja",
    "cz": "cs",
    "kr": "ko",
    "gr": "el",
    "ua": "uk",
    "cn": "zh",
    "chinese": "zh",
}


def parse_language(text: str) -> str:
    """Return the FLORES-200 code of a language given as FLORES-200, BCP 47, ISO 639-1/3 or English name.

    Args:
        text: For example `spa_Latn`, `es`, `spa`, `es-MX`, `Spanish`, or `jp` as in the paper's tables.

    Raises:
        LanguageError: The language is unknown; the message suggests near ones.

    Example:
        >>> [parse_language(text) for text in ("es", "spa", "Spanish", "fa", "zh-TW", "jp")]
        ['spa_Latn', 'spa_Latn', 'spa_Latn', 'pes_Arab', 'zho_Hant', 'jpn_Jpan']
    """
    name = text.strip()
    if _FLORES_CODE.fullmatch(name) and langcodes.get(name.replace("_", "-")).is_valid() and not name.startswith("cmn"):
        return name
    tag = _ALIASES.get(name.lower(), name).replace("_", "-")
    try:
        likely = (langcodes.get(tag) if _CODE.fullmatch(tag) else langcodes.find(tag)).maximize()
        alpha3, script = likely.to_alpha3(), likely.script or ""
        if likely.language_name().startswith("Unknown language"):
            raise LookupError(tag)
    except (LookupError, langcodes.LanguageTagError):
        raise LanguageError(_unknown(name)) from None
    return f"{_FLORES_OF_MACROLANGUAGE.get(alpha3, alpha3)}_{_FLORES_OF_SCRIPT.get(script, script)}"


def parse_languages(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of several languages in the order given, each once."""
    return tuple(dict.fromkeys(parse_language(text) for text in texts))


def language_name(code: str) -> str:
    """Return the English name of a FLORES-200 code.

    Example:
        >>> language_name("spa_Latn"), language_name("pes_Arab"), language_name("zho_Hans")
        ('Spanish', 'Persian', 'Chinese')
    """
    return langcodes.get(_usual_code(code)).language_name()


def short_code(code: str) -> str:
    """Return the shortest usual code of a language, for the axes of figures.

    Example:
        >>> short_code("spa_Latn"), short_code("pes_Arab")
        ('es', 'fa')
    """
    return langcodes.standardize_tag(_usual_code(code))


def _usual_code(code: str) -> str:
    """Return the ISO 639 code by which a language usually goes: that of its macrolanguage, where it has one."""
    base = code.split("_")[0]
    macrolanguages = {individual: macro for macro, individual in _FLORES_OF_MACROLANGUAGE.items()}
    return macrolanguages.get(base, base)


def _unknown(text: str) -> str:
    names = {language_name(code).lower(): code for code in (*PAPER_LANGUAGES, "zho_Hans", "arb_Arab")}
    codes = {code.lower(): code for code in names.values()}
    near = difflib.get_close_matches(text.lower(), [*names, *codes], n=3, cutoff=0.6)
    suggestion = f" Did you mean {' or '.join(near)}?" if near else ""
    return (
        f"unknown language '{text}'.{suggestion} Use a FLORES-200 code such as spa_Latn, an ISO 639 code such "
        "as es or spa, or an English name; 'interlingua list languages' prints them."
    )
