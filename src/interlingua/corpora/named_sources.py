"""The corpora of the Hugging Face Hub that are known by name: a data set is data, pinned to a revision."""

from __future__ import annotations

from interlingua.corpora.hub_readers import read_bitext, read_columns, read_comparable, read_labelled, read_tables
from interlingua.corpora.named import NamedSource
from interlingua.corpora.source import ENGLISH
from interlingua.corpora.wikipedia import SPLIT, read_text
from interlingua.languages import FLORES_LANGUAGES, PAPER_LANGUAGES, parse_language

_FLORES_CITATION = (
    "NLLB Team, No Language Left Behind, 2022; Goyal et al., The FLORES-101 Evaluation Benchmark for Low-Resource and "
    "Multilingual Machine Translation, TACL 2022"
)
_SHARED_LAYOUT = "dev/<code>.txt and devtest/<code>.txt, line i the same sentence in every file"
_BITEXT_LAYOUT = "<a>-<b>.<a>.txt and <a>-<b>.<b>.txt, line i the same sentence in both"
_WITH_CHINESE = (*PAPER_LANGUAGES, "zho_Hans")

FLORES200 = NamedSource(
    name="flores200",
    description="FLORES-200, 204 languages, 997 sentences to probe (dev) and 1,012 to evaluate (devtest)",
    licence="CC BY-SA 4.0; its keepers ask not to publish it as plain text",
    citation=_FLORES_CITATION,
    languages=FLORES_LANGUAGES,
    splits=("dev", "devtest"),
    repository="mteb/FloresBitextMining",
    revision="2144d16cc15edd22d4a9237d12bff5f31f5c07fc",
    provenance="mteb 2.26.24 pins this revision and reads its split devtest; that it has dev too was not checked",
    layout=_SHARED_LAYOUT,
    by_default={"parallel": _WITH_CHINESE},
    read_parallel=read_columns,
)

FLORES_PLUS = NamedSource(
    name="flores-plus",
    description="FLORES+ 4.6, the maintained successor of FLORES-200: dev 997 sentences, devtest 1,012",
    licence="CC BY-SA 4.0; its keepers ask not to publish it as plain text",
    citation=_FLORES_CITATION,
    languages=FLORES_LANGUAGES,
    splits=("dev", "devtest"),
    repository="openlanguagedata/flores_plus",
    revision="5fec6c13f9e5a4db2f745d4ec0d7c9721ddc4f06",
    provenance="the revision of version 4.6 that public code pins; JSON lines, one file a language",
    access="It is gated: accept its terms at https://huggingface.co/datasets/openlanguagedata/flores_plus, then log in "
    "with 'hf auth login' (or set HF_TOKEN).",
    layout=_SHARED_LAYOUT,
    names={"zho_Hans": "cmn_Hans", "zho_Hant": "cmn_Hant"},
    by_default={"parallel": _WITH_CHINESE},
    read_parallel=read_tables,
)

# mteb's names of the columns; NTREX-128 names macrolanguages where FLORES-200 names an individual language.
_NTREX_COLUMNS = """
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
_NTREX_NAMES = {parse_language(column): column for column in _NTREX_COLUMNS.split()}

NTREX128 = NamedSource(
    name="ntrex128",
    description="NTREX-128, 1,997 news sentences in 121 of its languages; its halves are probe and evaluation",
    licence="CC BY-SA 4.0",
    citation="Federmann et al., NTREX-128: News Test References for MT Evaluation of 128 Languages, SUMEval 2022",
    languages=tuple(_NTREX_NAMES),
    splits=("test",),
    repository="mteb/NTREXBitextMining",
    revision="66b8b27efc99658903127730575e9fa0cb9f075c",
    provenance="mteb 2.26.24 pins this revision and these columns",
    layout="<code>.txt, line i the same sentence in every file",
    names=_NTREX_NAMES,
    by_default={"parallel": _WITH_CHINESE},
    read_parallel=read_columns,
)

# mteb's languages of the test set, with their scripts; a pair is called for example sqi-eng.
_TATOEBA_LANGUAGES = """
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
_TATOEBA_NAMES = {parse_language(code): f"{code.split('_')[0]}-eng" for code in _TATOEBA_LANGUAGES.split()}

TATOEBA = NamedSource(
    name="tatoeba",
    description="Tatoeba test set of LASER: 112 languages with English, up to 1,000 pairs each",
    licence="CC BY 2.0 FR",
    citation="Artetxe and Schwenk, Massively Multilingual Sentence Embeddings for Zero-Shot Cross-Lingual Transfer and "
    "Beyond, TACL 2019",
    languages=(*_TATOEBA_NAMES, ENGLISH),
    splits=("test",),
    repository="mteb/tatoeba-bitext-mining",
    revision="69e8f12da6e31d59addadda9a9c8a2e601a0e282",
    provenance="mteb 2.26.24 pins this revision, and reads it as one table with the column lang; JSON lines",
    layout=_BITEXT_LAYOUT,
    names=_TATOEBA_NAMES,
    by_default={"pairs": tuple(code for code in PAPER_LANGUAGES if code != ENGLISH)},
    read_pairs=read_bitext,
)

_BUCC_NAMES = {parse_language(code): f"{code}-en" for code in ("de", "fr", "ru", "zh")}
_BUCC_CITATION = "Zweigenbaum, Sharoff and Rapp, Overview of the Third BUCC Shared Task, BUCC 2018"
_BUCC_LICENCE = "not stated by the task; made from Wikipedia (CC BY-SA) and News Commentary, take it as for research"

BUCC2018 = NamedSource(
    name="bucc2018",
    description="BUCC 2018: German, French, Russian and Chinese with English, 35,000 gold pairs among distractors",
    licence=_BUCC_LICENCE,
    citation=_BUCC_CITATION,
    languages=(*_BUCC_NAMES, ENGLISH),
    splits=("test",),
    repository="mteb/BUCC",
    revision="414572247440f0ccacf7eb0bb70a31533a0e5443",
    provenance="mteb 2.26.24 pins this revision, Parquet; 12 to 86 MB a pair",
    layout="<a>-<b>.<split>.gold, .<a> and .<b>, each perhaps with .tsv, as the shared task has them",
    names=_BUCC_NAMES,
    by_default={"pairs": ("zho_Hans",)},
    read_pairs=read_comparable,
)

BUCC2018_GOLD = NamedSource(
    name="bucc2018-gold",
    description="BUCC 2018, its 35,000 gold pairs alone",
    licence=_BUCC_LICENCE,
    citation=_BUCC_CITATION,
    languages=BUCC2018.languages,
    splits=("test",),
    repository="mteb/bucc-bitext-mining",
    revision="1739dc11ffe9b7bfccd7f3d585aeb4c544fc6677",
    provenance="mteb 2.26.24 pins this revision, and reads it as one table with the column lang; JSON lines, 3 MB",
    layout=_BITEXT_LAYOUT,
    names=_BUCC_NAMES,
    by_default={"pairs": tuple(_BUCC_NAMES)},
    read_pairs=read_bitext,
)

_PAWSX_NAMES = {parse_language(code): code for code in ("de", "en", "es", "fr", "ja", "ko", "zh")}

PAWSX = NamedSource(
    name="pawsx",
    description="PAWS-X, adversarial paraphrases in 7 languages, 2,000 labelled pairs each",
    licence="free for any purpose, with acknowledgement of Google LLC as the source; no warranty",
    citation="Yang et al., PAWS-X: A Cross-lingual Adversarial Dataset for Paraphrase Identification, EMNLP 2019",
    languages=tuple(_PAWSX_NAMES),
    splits=("train", "validation", "test"),
    repository="google-research-datasets/paws-x",
    revision="4cd8187c404bda33cb1f62b49b001115862acf37",
    provenance="the Parquet revision that public code pins; mteb 1.14 pinned 8a04d940, from when it was a script",
    layout="<code>.tsv with the header id, sentence1, sentence2, label",
    names=_PAWSX_NAMES,
    read_pairs=read_labelled,
)

WIKIPEDIA = NamedSource(
    name="wikipedia",
    description="Wikipedia of 1 November 2023, any of its languages; streamed, only as much as asked for",
    licence="CC BY-SA 3.0 and GFDL",
    citation="Wikimedia Foundation, Wikimedia Downloads, https://dumps.wikimedia.org",
    languages=_WITH_CHINESE,
    splits=(SPLIT,),
    repository="wikimedia/wikipedia",
    revision="b04c8d1ceb2f5cd4588862100d08de323dccfbaa",
    provenance="the revision that public code pins; Parquet, one configuration a language, such as 20231101.de",
    layout="<code>.txt, a paragraph a line",
    by_default={"text": ("eng_Latn",)},
    read_text=read_text,
)

NAMED = (FLORES200, FLORES_PLUS, NTREX128, TATOEBA, BUCC2018, BUCC2018_GOLD, PAWSX, WIKIPEDIA)
