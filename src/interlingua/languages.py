"""Languages: FLORES-200 codes inside, every usual name of a language accepted at the door.

A FLORES-200 code is an ISO 639-3 code and an ISO 15924 script: `spa_Latn`, `zho_Hans`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

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

# fmt: off
FLORES_LANGUAGES = tuple("""
ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn als_Latn amh_Ethi apc_Arab arb_Arab arb_Latn
ars_Arab ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn azb_Arab azj_Latn bak_Cyrl bam_Latn ban_Latn bel_Cyrl
bem_Latn ben_Beng bho_Deva bjn_Arab bjn_Latn bod_Tibt bos_Latn bug_Latn bul_Cyrl cat_Latn ceb_Latn ces_Latn cjk_Latn
ckb_Arab crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn dzo_Tibt ell_Grek eng_Latn epo_Latn est_Latn eus_Latn
ewe_Latn fao_Latn fij_Latn fin_Latn fon_Latn fra_Latn fur_Latn fuv_Latn gaz_Latn gla_Latn gle_Latn glg_Latn grn_Latn
guj_Gujr hat_Latn hau_Latn heb_Hebr hin_Deva hne_Deva hrv_Latn hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn
ita_Latn jav_Latn jpn_Jpan kab_Latn kac_Latn kam_Latn kan_Knda kas_Arab kas_Deva kat_Geor kaz_Cyrl kbp_Latn kea_Latn
khk_Cyrl khm_Khmr kik_Latn kin_Latn kir_Cyrl kmb_Latn kmr_Latn knc_Arab knc_Latn kon_Latn kor_Hang lao_Laoo lij_Latn
lim_Latn lin_Latn lit_Latn lmo_Latn ltg_Latn ltz_Latn lua_Latn lug_Latn luo_Latn lus_Latn lvs_Latn mag_Deva mai_Deva
mal_Mlym mar_Deva min_Arab min_Latn mkd_Cyrl mlt_Latn mni_Beng mos_Latn mri_Latn mya_Mymr nld_Latn nno_Latn nob_Latn
npi_Deva nso_Latn nus_Latn nya_Latn oci_Latn ory_Orya pag_Latn pan_Guru pap_Latn pbt_Arab pes_Arab plt_Latn pol_Latn
por_Latn prs_Arab quy_Latn ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva sat_Olck scn_Latn shn_Mymr sin_Sinh slk_Latn
slv_Latn smo_Latn sna_Latn snd_Arab som_Latn sot_Latn spa_Latn srd_Latn srp_Cyrl ssw_Latn sun_Latn swe_Latn swh_Latn
szl_Latn tam_Taml taq_Latn taq_Tfng tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi tpi_Latn tsn_Latn tso_Latn
tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab ukr_Cyrl umb_Latn urd_Arab uzn_Latn vec_Latn vie_Latn war_Latn
wol_Latn xho_Latn ydd_Hebr yor_Latn yue_Hant zho_Hans zho_Hant zsm_Latn zul_Latn
""".split())  # noqa: SIM905
# fmt: on
"""The 204 languages of FLORES-200."""

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
        return _individual(name)
    tag = _ALIASES.get(name.lower(), name).replace("_", "-")
    try:
        if _CODE.fullmatch(tag):
            likely = langcodes.get(tag).maximize()
        elif "_" not in name:
            likely = langcodes.find(tag).maximize()
        else:  # `find` would take metadata_dev for the language Meta'
            raise LookupError(tag)
        alpha3, script = likely.to_alpha3(), likely.script or ""
        if likely.language_name().startswith("Unknown language"):
            raise LookupError(tag)
    except (LookupError, langcodes.LanguageTagError):
        raise LanguageError(_unknown(name)) from None
    return f"{_FLORES_OF_MACROLANGUAGE.get(alpha3, alpha3)}_{_FLORES_OF_SCRIPT.get(script, script)}"


def parse_languages(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of several languages in the order given, each once."""
    return tuple(dict.fromkeys(parse_language(text) for text in texts))


def language_of_name(name: str) -> str | None:
    """Return the language that a column or a file is named for, or `None` if it seems to be named for something else.

    Every code is a language's somewhere: `label`, `url` and `doc` are too. So this takes full codes, and the codes and
    names of FLORES-200's languages, but not `id`, which is an identifier more often than Indonesian.

    Example:
        >>> [language_of_name(name) for name in ("en", "Spanish", "sentence_deu_Latn", "ind", "id", "label")]
        ['eng_Latn', 'spa_Latn', 'deu_Latn', 'ind_Latn', None, None]
    """
    text = name.strip().removeprefix("sentence_")
    try:
        code = parse_language(text)
    except LanguageError:
        return None
    known = code in FLORES_LANGUAGES and text.lower() != "id"
    return code if known or _FLORES_CODE.fullmatch(text) else None


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


def _individual(code: str) -> str:
    """Return FLORES-200's code for one that has a macrolanguage in it, as `fas_Arab`, if it has that script."""
    base, script = code.split("_")
    individual = f"{_FLORES_OF_MACROLANGUAGE.get(base, base)}_{script}"
    return individual if individual in FLORES_LANGUAGES else code


def _usual_code(code: str) -> str:
    """Return the ISO 639 code by which a language usually goes: that of its macrolanguage, where it has one."""
    base = code.split("_")[0]
    macrolanguages = {individual: macro for macro, individual in _FLORES_OF_MACROLANGUAGE.items()}
    return macrolanguages.get(base, base)


def _unknown(text: str) -> str:
    names = {language_name(code).lower() for code in FLORES_LANGUAGES}
    codes = {code.lower() for code in FLORES_LANGUAGES}
    near = difflib.get_close_matches(text.lower(), sorted(names | codes), n=3, cutoff=0.75)
    suggestion = f" Did you mean {' or '.join(near)}?" if near else ""
    return (
        f"unknown language '{text}'.{suggestion} Use a FLORES-200 code such as spa_Latn, an ISO 639 code such "
        "as es or spa, or an English name; 'interlingua list languages' prints them."
    )


@dataclass(frozen=True)
class Pretraining:
    """What the makers of a family of models say of its languages.

    Attributes:
        family: Its name.
        models: A pattern of the names that its models have on the Hub, in lower case, without the organisation.
        languages: The FLORES-200 codes of the languages that are named.
        complete: Whether the makers name all languages of the data. If not, nobody can tell which it has not seen.
        source: Where they say so.
        note: What a reader should know, and where the paper says something else.
    """

    family: str
    models: str
    languages: frozenset[str]
    complete: bool
    source: str
    note: str = ""


def _codes(listed: str) -> frozenset[str]:
    return frozenset(parse_languages(listed.split()))


PRETRAINING = (
    Pretraining(
        family="Bloom",
        models=r"bloomz?(-(560m|1b1|1b3|1b7|2b5|3b|6b3|7b1))?(-(mt|p3|intermediate))?",
        languages=_codes(
            "ak ar as bm bn ca en es eu fon fr gu hi id ig ki kn lg ln ml mr ne nso ny or pa pt rn rw sn st sw ta te "
            "tn ts tum tw ur vi wo xh yo zho_Hans zho_Hant zu"
        ),
        complete=True,
        source="https://huggingface.co/bigscience/bloom (its 46 natural languages, Chinese in two scripts)",
        note="The paper (section 3.3) agrees that German and Japanese are absent, though section 3.1 calls its five "
        "targets well represented in all three models. Its 22 languages are said to be the union over the models "
        "(section 4): of Aya-23 and PolyLM they are, but this card names Catalan, Basque, Bengali and others too.",
    ),
    Pretraining(
        family="Aya-23",
        models=r"aya-23-(8b|35b)",
        languages=_codes("ar zho_Hans zho_Hant cs nl en fr de el he hi id it ja ko fa pl pt ro ru es tr uk vi"),
        complete=True,
        source="https://huggingface.co/CohereForAI/aya-23-8B (its 23 languages, Chinese in two scripts)",
        note="The card names the languages that the model covers; by the report (arXiv 2405.15032) they are those "
        "included in pre-training, but no list of that data is given apart. Of the paper's 22 it lacks Thai.",
    ),
    Pretraining(
        family="PolyLM",
        models=r"polylm-((chat|multialpaca|assistant)-)?(13b|1\.7b)",
        languages=_codes("zh en es de fr pt ru it ar ja ko th vi id pl tr nl he"),
        complete=True,
        source="https://huggingface.co/DAMO-NLP-MT/polylm-13b (its 18 languages)",
        note="Of the paper's 22 it lacks Czech, Greek, Hindi, Persian, Romanian and Ukrainian.",
    ),
    Pretraining(
        family="XGLM",
        models=r"xglm-(564m|1\.7b|2\.9b|7\.5b)",
        languages=_codes("en ru zh de es fr ja it pt el ko fi id tr ar vi th bg ca hi et bn ta ur sw te eu my ht qu"),
        complete=True,
        source="https://huggingface.co/facebook/xglm-7.5B (table of its 30 languages)",
        note="XGLM-4.5B was trained on another mixture, and is not meant.",
    ),
    Pretraining(
        family="Llama 3.1, 3.2 and 3.3",
        models=r"(meta-)?llama-3\.[123]-.*",
        languages=_codes("en de fr it pt hi es th"),
        complete=False,
        source="https://huggingface.co/meta-llama/Llama-3.1-8B (its 8 supported languages)",
        note="The card says that the data has more languages than the supported ones, and does not name them.",
    ),
    Pretraining(
        family="Llama 3",
        models=r"(meta-)?llama-3-.*",
        languages=_codes("en"),
        complete=False,
        source="https://ai.meta.com/blog/meta-llama-3",
        note="Over 5 % of the data is said to be in more than 30 languages besides English, which are not named.",
    ),
    Pretraining(
        family="Gemma 3",
        models=r"gemma-?3-.*",
        languages=frozenset(),
        complete=False,
        source="https://huggingface.co/google/gemma-3-27b-it",
        note="The card says over 140 languages, and names none of them.",
    ),
)
"""What is known of the languages of models' pre-training data. Of other models nothing is."""


def pretraining_of(model: str | Path) -> Pretraining | None:
    """Return what is known of a model's languages, or `None`.

    Args:
        model: An id on the Hub, a packaged model, or a folder that is named as the model.

    Example:
        >>> pretraining_of("google/gemma-3-270m").note
        'The card says over 140 languages, and names none of them.'
    """
    parts = [part for name in Path(model).parts for part in name.lower().split("--")]
    for known in PRETRAINING:
        if any(re.fullmatch(known.models, part) for part in parts):
            return known
    return None


def seen_languages(model: str | Path) -> frozenset[str] | None:
    """Return the languages that a model was pre-trained on, or `None` where they are not known.

    They are known where the makers name all of them: for Bloom, Aya-23, PolyLM and XGLM (`PRETRAINING` has the
    sources). Llama 3 and Gemma 3 were trained on more languages than are named, so that none can be said to be unseen.

    Args:
        model: An id on the Hub, a packaged model, or a folder that is named as the model.

    Returns:
        FLORES-200 codes.

    Example:
        >>> seen = seen_languages("bigscience/bloom-7b1")
        >>> [code for code in PAPER_TARGETS if code not in seen]
        ['deu_Latn', 'jpn_Jpan']
        >>> seen_languages("google/gemma-3-270m") is None
        True
    """
    known = pretraining_of(model)
    return known.languages if known is not None and known.complete else None
