"""Tatoeba: up to 1,000 pairs of each of 112 languages with English, as LASER chose them (Artetxe and Schwenk 2019)."""

from __future__ import annotations

from collections.abc import Sequence

from interlingua.corpora.mteb_bitext import ENGLISH, read_bitext
from interlingua.corpora.pairs import PairCorpus
from interlingua.corpora.source import CorpusSource
from interlingua.languages import PAPER_LANGUAGES, parse_language

# mteb's languages of the test set, with their scripts; a pair is called for example sqi-eng.
_LANGUAGES = """
afr_Latn amh_Ethi ang_Latn ara_Arab arq_Arab arz_Arab ast_Latn awa_Deva aze_Latn bel_Cyrl ben_Beng ber_Tfng bos_Latn
bre_Latn bul_Cyrl cat_Latn cbk_Latn ceb_Latn ces_Latn cha_Latn cmn_Hans cor_Latn csb_Latn cym_Latn dan_Latn deu_Latn
dsb_Latn dtp_Latn ell_Grek epo_Latn est_Latn eus_Latn fao_Latn fin_Latn fra_Latn fry_Latn gla_Latn gle_Latn glg_Latn
gsw_Latn heb_Hebr hin_Deva hrv_Latn hsb_Latn hun_Latn hye_Armn ido_Latn ile_Latn ina_Latn ind_Latn isl_Latn ita_Latn
jav_Latn jpn_Jpan kab_Latn kat_Geor kaz_Cyrl khm_Khmr kor_Hang kur_Latn kzj_Latn lat_Latn lfn_Latn lit_Latn lvs_Latn
mal_Mlym mar_Deva max_Deva mhr_Cyrl mkd_Cyrl mon_Cyrl nds_Latn nld_Latn nno_Latn nob_Latn nov_Latn oci_Latn orv_Cyrl
pam_Latn pes_Arab pms_Latn pol_Latn por_Latn ron_Latn rus_Cyrl slk_Latn slv_Latn spa_Latn sqi_Latn srp_Cyrl swe_Latn
swg_Latn swh_Latn tam_Taml tat_Cyrl tel_Telu tgl_Latn tha_Thai tuk_Latn tur_Latn tzl_Latn uig_Arab ukr_Cyrl urd_Arab
uzb_Latn vie_Latn war_Latn wuu_Hans xho_Latn yid_Hebr yue_Hant zsm_Latn
"""
NAME_OF = {parse_language(language): f"{language.split('_')[0]}-eng" for language in _LANGUAGES.split()}


def read_pairs(source: CorpusSource, split: str, languages: Sequence[str]) -> PairCorpus:
    """Read the pairs of one language with English."""
    return read_bitext(source, split, languages, NAME_OF)


TATOEBA = CorpusSource(
    name="tatoeba",
    description="Tatoeba test set of LASER: 112 languages with English, up to 1,000 pairs each",
    licence="CC BY 2.0 FR",
    citation="Artetxe and Schwenk, Massively Multilingual Sentence Embeddings for Zero-Shot Cross-Lingual Transfer and "
    "Beyond, TACL 2019",
    languages=(*NAME_OF, ENGLISH),
    splits=("test",),
    repository="mteb/tatoeba-bitext-mining",
    revision="69e8f12da6e31d59addadda9a9c8a2e601a0e282",
    provenance="mteb 2.26.24 pins this revision, and reads it as one table with the column lang; JSON lines",
    layout="<a>-<b>.<a>.txt and <a>-<b>.<b>.txt, line i the same sentence in both",
    by_default={"pairs": tuple(code for code in PAPER_LANGUAGES if code != ENGLISH)},
    read_pairs=read_pairs,
)
