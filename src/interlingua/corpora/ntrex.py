"""NTREX-128: the English of WMT19's news test set, translated by professionals into 128 languages and variants."""

from __future__ import annotations

from collections.abc import Sequence

from interlingua.corpora.checks import require_text
from interlingua.corpora.hub import read_table
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.source import CorpusSource
from interlingua.languages import PAPER_LANGUAGES, parse_language

# mteb's names of the columns; NTREX-128 names macrolanguages where FLORES-200 names an individual language.
_COLUMNS = """
afr_Latn amh_Ethi arb_Arab aze_Latn bak_Cyrl bel_Cyrl bem_Latn ben_Beng bod_Tibt bos_Latn bul_Cyrl cat_Latn ces_Latn
ckb_Arab cym_Latn dan_Latn deu_Latn div_Thaa dzo_Tibt ell_Grek eng_Latn eus_Latn ewe_Latn fao_Latn fas_Arab fij_Latn
fil_Latn fin_Latn fra_Latn fuc_Latn gle_Latn glg_Latn guj_Gujr hau_Latn heb_Hebr hin_Deva hmn_Latn hrv_Latn hun_Latn
hye_Armn ibo_Latn ind_Latn isl_Latn ita_Latn jpn_Jpan kan_Knda kat_Geor kaz_Cyrl khm_Khmr kin_Latn kir_Cyrl kmr_Latn
kor_Hang lao_Laoo lav_Latn lit_Latn ltz_Latn mal_Mlym mar_Deva mey_Arab mkd_Cyrl mlg_Latn mlt_Latn mon_Mong mri_Latn
msa_Latn mya_Mymr nde_Latn nep_Deva nld_Latn nno_Latn nob_Latn nso_Latn nya_Latn orm_Ethi pan_Guru pol_Latn por_Latn
prs_Arab pus_Arab ron_Latn rus_Cyrl shi_Arab sin_Sinh slk_Latn slv_Latn smo_Latn sna_Latn snd_Arab som_Latn spa_Latn
sqi_Latn srp_Cyrl srp_Latn ssw_Latn swa_Latn swe_Latn tah_Latn tam_Taml tat_Cyrl tel_Telu tgk_Cyrl tha_Thai tir_Ethi
ton_Latn tsn_Latn tuk_Latn tur_Latn uig_Arab ukr_Cyrl urd_Arab uzb_Latn ven_Latn vie_Latn wol_Latn xho_Latn yor_Latn
yue_Hant zho_Hans zho_Hant zul_Latn
"""
COLUMN_OF = {parse_language(column): column for column in _COLUMNS.split()}


def read_parallel(source: CorpusSource, split: str, languages: Sequence[str]) -> ParallelCorpus:
    """Read mteb's table, which has one column a language."""
    source.require_split(split)
    columns = {code: COLUMN_OF[source.require_language(code)] for code in languages}
    table = read_table(source, None, split, list(columns.values()))
    sentences = {
        code: require_text(f"{source.name}, {code}", table.column(column).to_pylist())
        for code, column in columns.items()
    }
    return ParallelCorpus(source.name, split, sentences)


NTREX128 = CorpusSource(
    name="ntrex128",
    description="NTREX-128, 1,997 news sentences in 121 of its languages; its halves are probe and evaluation",
    licence="CC BY-SA 4.0",
    citation="Federmann et al., NTREX-128: News Test References for MT Evaluation of 128 Languages, SUMEval 2022",
    languages=tuple(COLUMN_OF),
    splits=("test",),
    repository="mteb/NTREXBitextMining",
    revision="66b8b27efc99658903127730575e9fa0cb9f075c",
    provenance="mteb 2.26.24 pins this revision and these columns",
    layout="<code>.txt, line i the same sentence in every file",
    by_default={"parallel": (*PAPER_LANGUAGES, "zho_Hans")},
    read_parallel=read_parallel,
)
