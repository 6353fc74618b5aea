"""Inputs of kinds that were read wrongly: each is read right, or is an error that names what is wrong."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import interlingua as il
from conftest import listening
from interlingua.corpora.checks import find_warnings, is_blank
from interlingua.errors import CorpusError, InterlinguaError, LanguageError
from interlingua.languages import FLORES_NAMES, NO_LANGUAGE, language_name, parse_language

NTREX = """
afr amh arb aze-Latn bak bel bem ben bod bos bul cat ces ckb-Arab cym dan deu div dzo ell est eus ewe fao fas fij fil
fin fra fuc gle glg guj hau heb hin hmn hrv hun hye ibo ind isl ita jpn kan kat kaz khm kin kir kmr kor lao lav lit ltz
mal mar mey mkd mlg mlt mon mri msa mya nde nep nld nno nob nso nya orm pan pol por prs pus ron rus shi sin slk slv smo
sna-Latn snd-Arab som spa sqi srp-Cyrl srp-Latn ssw swa swe tah tam tat tel tgk-Cyrl tha tir ton tsn tuk tur uig ukr urd
uzb ven vie wol xho yor yue zho-CN zho-TW zul
"""
FOLDER_CHECK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("code", FLORES_NAMES)
def test_every_form_of_a_flores_language_is_its_code(code):
    name, base = FLORES_NAMES[code], code.partition("_")[0]
    for text in (code, code.lower(), code.replace("_", "-"), name, name.upper(), f" {name} "):
        assert parse_language(text) == code
    assert parse_language(base).startswith(f"{base}_"), "the bare code is of this language, in one of its scripts"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Serbian (Latin)", "srp_Latn"), ("sr-Latn", "srp_Latn"), ("Mandarin Chinese", "zho_Hans"),
        ("cmn_Hant", "zho_Hant"), ("kor_Kore", "kor_Hang"), ("fa-AF", "prs_Arab"), ("az-IR", "azb_Arab"),
        ("ku-Arab", "ckb_Arab"), ("Pashto", "pbt_Arab"), ("ger", "deu_Latn"), ("iw", "heb_Hebr"), ("pt-BR", "por_Latn"),
        ("Aymara", "ayr_Latn"), ("ekk", "est_Latn"), ("mey", "mey_Arab"), ("zho-TW", "zho_Hant"),
    ],
)  # fmt: skip
def test_a_language_is_not_guessed_by_a_likely_script(text, code):
    assert parse_language(text) == code


@pytest.mark.parametrize("text", [*NO_LANGUAGE, "sh", "und-Latn", "qaa", "spa_Xxxx", "Serbian (Klingon)", "Klingon"])
def test_what_names_no_one_language_is_an_error(text):
    with pytest.raises(LanguageError):
        parse_language(text)


def test_languages_that_share_a_macrolanguage_keep_apart():
    assert len({parse_language(code) for code in ("prs", "pes", "azb", "azj", "ckb", "kmr", "ajp", "apc")}) == 8
    assert {language_name("prs_Arab"), language_name("pes_Arab")} == {"Dari", "Persian"}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_a_released_ntrex_is_read_with_the_plain_file_of_each_language(tmp_path):
    codes = NTREX.split()
    for name in [*(f"ref.{code}" for code in codes), "ref.spa-MX", "ref.eng-GB", "ref.eng-US", "src.eng"]:
        write(tmp_path / f"newstest2019-{name}.txt", f"one {name}\ntwo {name}\n")
    with listening() as said:
        corpus = il.open_corpus(tmp_path).parallel("dev")
    assert len(corpus.languages) == len(codes) + 1
    assert corpus["spa_Latn"] == ("one ref.spa",)
    assert corpus["eng_Latn"] == ("one src.eng",)
    assert corpus["khk_Cyrl"] == ("one ref.mon",)
    assert any("newstest2019-ref.spa-MX.txt" in line for line in said)
    write(tmp_path / "newstest2019-ref.es.txt", "one\ntwo\n")
    with pytest.raises(CorpusError, match="are both spa_Latn"):
        il.open_corpus(tmp_path).parallel("dev")


@pytest.mark.parametrize("inside", ["", "flores200_dataset"])
def test_a_released_flores_is_read_also_where_its_archive_wrapped_it(tmp_path, inside):
    folder = tmp_path / inside
    for split in ("dev", "devtest"):
        for code in ("eng_Latn", "prs_Arab"):
            write(folder / split / f"{code}.{split}", f"{split} {code}\n")
        write(folder / f"metadata_{split}.tsv", "URL\tdomain\nx\ty\n")
    write(folder / "README", "no corpus")
    source = il.open_corpus(tmp_path)
    assert source.splits == ("dev", "devtest")
    assert source.parallel("devtest").sentences == {
        "eng_Latn": ("devtest eng_Latn",),
        "prs_Arab": ("devtest prs_Arab",),
    }


def test_moses_files_of_opus_are_a_pair_and_two_corpora_of_one_pair_an_error(tmp_path):
    for side, text in (("en", "yes\nno\n"), ("es", "sí\nno\n"), ("ids", "1\n2\n")):
        write(tmp_path / f"Tatoeba.en-es.{side}", text)
    write(tmp_path / "README", "the corpus")
    assert il.open_corpus(tmp_path).pairs().right == ("sí", "no")
    write(tmp_path / "Books.en-es.es", "sí\n")
    with pytest.raises(CorpusError, match=r"Books\.en-es\.es.* and .*Tatoeba\.en-es\.es"):
        il.open_corpus(tmp_path).pairs()


def test_files_that_begin_with_a_dot_are_passed_over(tmp_path):
    for name in ("en", "es", "._en", ".en", "._.DS_Store"):
        write(tmp_path / f"{name}.txt", "one\ntwo\n")
    assert il.open_corpus(tmp_path).parallel("dev").languages == ("eng_Latn", "spa_Latn")


INVISIBLE = st.text(alphabet=" \t\u00a0\u200b\u200c\u200d\u200e\u2060\ufeff\u3000\u3164\u2800\u00ad", max_size=6)


@given(INVISIBLE, st.sampled_from(["yes", "да", "はい"]))
def test_a_line_of_invisible_characters_alone_is_empty_and_no_other_is(blank, word):
    assert is_blank(blank)
    assert not is_blank(blank + word + blank)


def test_invisible_lines_are_reported_with_their_number_and_invisible_characters_warned_of(tmp_path):
    write(tmp_path / "en.txt", "a\nb\n\u200b\nd\n")
    write(tmp_path / "es.txt", "a\nb\nc\nd\n")
    with pytest.raises(CorpusError, match="line 3 of eng_Latn is empty"):
        il.open_corpus(tmp_path).parallel("dev")
    warned = find_warnings("pes_Arab", ["می\u200cروم", "a\u202eb", "a\u200bb"])
    assert [(warning.kind, warning.count, warning.first) for warning in warned] == [("invisible characters", 2, 2)]


ROWS = st.lists(st.tuples(st.text("ab c,\"'", min_size=1), st.text("xy z;", min_size=1)), min_size=2, max_size=6)


@FOLDER_CHECK
@given(ROWS, st.integers(0, 3), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_csv_is_read_whatever_ends_it_and_whatever_numbers_its_rows(tmp_path, rows, blank, end, numbered):
    import csv
    import io

    rows = [(left.strip() or "a", right.strip() or "x") for left, right in rows]
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator=end)
    writer.writerow(["No", "en", "es"] if numbered else ["en", "es"])
    writer.writerows([(str(i), *row) if numbered else row for i, row in enumerate(rows)])
    path = write(tmp_path / "c.csv", "\ufeff" + file.getvalue() + end * blank)
    halves = [il.open_corpus(path).parallel(split) for split in ("dev", "devtest")]
    assert halves[0].languages == ("eng_Latn", "spa_Latn")
    for i, code in enumerate(halves[0].languages):
        assert [*halves[0][code], *halves[1][code]] == [row[i] for row in rows]


def test_a_column_of_norwegian_or_indonesian_is_a_language(tmp_path):
    path = write(
        tmp_path / "c.csv", "id,no,en\nsaya makan nasi,jeg spiser ris,I eat rice\nhari ini panas,det er varmt,hot\n"
    )
    assert il.open_corpus(path).parallel("dev").languages == ("ind_Latn", "nob_Latn", "eng_Latn")


@FOLDER_CHECK
@given(st.lists(st.sampled_from(["en", "es", "de", "x"]), min_size=2, max_size=5))
def test_a_repeated_header_is_an_error_that_names_both(tmp_path, header):
    path = write(
        tmp_path / "c.csv",
        "\n".join([",".join(header), *(",".join(f"w{i}{j}" for j in range(len(header))) for i in (1, 2))]),
    )
    if len(set(header)) == len(header):
        with pytest.raises(InterlinguaError) if set(header) == {"x"} else listening():
            il.open_corpus(path).parallel("dev")
    else:
        with pytest.raises(CorpusError, match=r"the columns \d and \d are both '(en|es|de|x)'"):
            il.open_corpus(path).parallel("dev")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"en": "a", "es": null}', "line 2: 'es' is null, not text"),
        ('{"en": "a", "es": "b", "en": "c"}', "line 2 is not valid JSON: the key 'en' stands twice"),
        ('{"en": "a \\ud83d", "es": "b"}', r"line 2: 'en' is not text: it has U\+D83D"),
        ('{"en": "a", "es": ' + "[" * 100_000 + "]" * 100_000 + "}", "line 2 is not valid JSON"),
        ('{"en": "a", "es": ' + "9" * 5000 + "}", "line 2 is not valid JSON"),
        ('{"en": "a", "es": 7}', "7 is not text"),
        ('{"en": "a", "es": "\\u200b"}', "line 2 of spa_Latn is empty"),
    ],
)  # fmt: skip
def test_json_lines_that_are_not_text_are_named_by_file_and_line(tmp_path, line, message):
    path = write(tmp_path / "c.jsonl", '{"en": "a", "es": "b"}\n' + line + "\n" + '{"en": "c", "es": "d"}\n' * 2)
    with pytest.raises(CorpusError, match=message) as raised:
        il.open_corpus(path).parallel("dev")
    assert "\n" not in str(raised.value)


def tmx(units):
    made = "".join(
        "<tu>" + "".join(f'<tuv xml:lang="{name}"><seg>{text}</seg></tuv>' for name, text in unit) + "</tu>"
        for unit in units
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><tmx version="1.4"><header creationtool="t" creationtoolversion="1" '
        f'segtype="sentence" o-tmf="x" adminlang="en" srclang="en" datatype="plaintext"/><body>{made}</body></tmx>'
    )


@FOLDER_CHECK
@given(st.lists(st.sampled_from(["both", "both", "both", "en", "es"]), min_size=1, max_size=9))
def test_incomplete_units_are_left_out_and_counted(tmp_path, kinds):
    pytest.importorskip("translate")
    kinds = [*kinds, *["both"] * (len(kinds) + 2)]
    units = [
        [(name, f"{name} {i}") for name in ("en-US", "es") if kind in ("both", name[:2])]
        for i, kind in enumerate(kinds)
    ]
    path = write(tmp_path / "c.tmx", tmx(units))
    with listening() as said:
        source = il.open_corpus(path)
        kept = [line for split in ("dev", "devtest") for line in source.parallel(split)["spa_Latn"]]
    assert kept == [f"es {i}" for i, kind in enumerate(kinds) if kind == "both"]
    left_out = len(kinds) - len(kept)
    warned = [line for line in said if "units left out" in line]
    assert len(warned) == (left_out > 0)
    assert all(f"{left_out} of {len(kinds)} units" in line for line in warned)


def test_two_variants_of_a_language_in_a_unit_are_an_error_that_names_both(tmp_path):
    pytest.importorskip("translate")
    path = write(tmp_path / "c.tmx", tmx([[("en-US", "color"), ("en-GB", "colour"), ("es", "color")]] * 2))
    with pytest.raises(CorpusError, match="unit 1: the variants 'en-US' and 'en-GB' are both eng_Latn"):
        il.open_corpus(path).parallel("dev")
    path = write(tmp_path / "d.tmx", tmx([[("und", "color"), ("es", "color")]] * 2))
    with pytest.raises(LanguageError, match="unit 1: unknown language 'und'"):
        il.open_corpus(path).parallel("dev")


def test_a_fifo_is_an_error_and_does_not_hang(tmp_path):
    import os

    os.mkfifo(tmp_path / "en.txt")
    write(tmp_path / "es.txt", "a\nb\n")
    with pytest.raises(CorpusError, match=re.escape("en.txt' is not a regular file")):
        il.open_corpus(tmp_path).parallel("dev")
    assert json.dumps(il.open_corpus(tmp_path).splits)


SIDES = {"en": "the cat\na dog\n", "es": "el gato\nun perro\n"}
LINE = "A paragraph of running text that is long enough to be one, and no heading of anything else at all, I hope."


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """One source of each kind that is not on the Hub."""
    datasets = pytest.importorskip("datasets")
    folder = tmp_path_factory.mktemp("kinds")
    for name in ("parallel/dev", "halves"):
        (folder / name).mkdir(parents=True)
        for code, lines in SIDES.items():
            (folder / name / f"{code}.txt").write_text(lines, encoding="utf-8")
    (folder / "pairs").mkdir()
    for code, lines in SIDES.items():
        (folder / "pairs" / f"en-es.{code}.txt").write_text(lines, encoding="utf-8")
    rows = [{"en": "the cat", "es": "el gato"}, {"en": "a dog", "es": "un perro"}]
    (folder / "table.csv").write_text("en,es\nthe cat,el gato\na dog,un perro\n", encoding="utf-8")
    (folder / "running.csv").write_text(f"text\n{LINE}\n{LINE} Or not.\n", encoding="utf-8")
    (folder / "running.txt").write_text(f"{LINE}\n", encoding="utf-8")
    (folder / "text").mkdir()
    (folder / "text" / "en.txt").write_text(f"{LINE}\n", encoding="utf-8")
    local = {name: str(folder / name) for name in
             ("parallel", "halves", "pairs", "text", "table.csv", "running.csv", "running.txt")}  # fmt: skip
    return {
        **{name: il.open_corpus(place) for name, place in local.items()},
        "rows": il.open_corpus(datasets.Dataset.from_list(rows)),
        "splits": il.open_corpus(datasets.DatasetDict({"dev": datasets.Dataset.from_list(rows)})),
        **{name: il.open_corpus(name) for name in ("starter", "prompts")},
    }


READERS = {
    "parallel": lambda source, split: source.parallel(split, languages=["en", "es"]),
    "pairs": lambda source, split: source.pairs(*["en"] if source.name == "starter" else ["en", "es"], split=split),
    "text": lambda source, split: source.text("en", split=split, min_length=1),
}


@FOLDER_CHECK
@given(data=st.data())
def test_a_corpus_is_of_the_split_that_was_asked_for_or_an_error(kinds, data):
    """Whatever the kind and shape: no split is passed over in silence."""
    name, shape = data.draw(st.sampled_from(sorted(kinds))), data.draw(st.sampled_from(sorted(READERS)))
    split = data.draw(st.sampled_from(["dev", "devtest", "test", "train", "text", "nonsense"]))
    try:
        corpus = READERS[shape](kinds[name], split)
    except InterlinguaError:
        return
    assert corpus.split == split


@pytest.mark.parametrize(
    ("name", "shape", "there"),
    [("starter", "text", "text"), ("starter", "pairs", "devtest"), ("starter", "parallel", "dev, devtest"),
     ("prompts", "text", "text"), ("table.csv", "pairs", "test"), ("running.csv", "text", "text"),
     ("text", "text", "text"), ("splits", "pairs", "dev"), ("splits", "text", "dev"), ("rows", "pairs", "test")],
)  # fmt: skip
def test_an_unknown_split_is_an_error_that_lists_those_there_are(kinds, name, shape, there):
    with pytest.raises(CorpusError, match=f"has no split 'nonsense'.*; it has {there}$"):
        READERS[shape](kinds[name], "nonsense")
