"""The report as files: tables in three formats, one page, and nothing of a corpus that is not escaped."""

import html
import re
import shutil
from html.parser import HTMLParser
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml

import interlingua as il
from interlingua.analysis.published import published
from interlingua.analysis.schema import ORDER
from interlingua.errors import InputError
from interlingua.report import write_comparison, write_report
from interlingua.report.layout import Column, PaperTable
from interlingua.report.paper_tables import paper_tables, unseen_languages
from interlingua.report.paper_tables.bitexts import bitexts
from interlingua.report.table_files import latex, markdown, write_tables
from interlingua.study import StudyConfig
from interlingua.study.store import Run

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> & {{ 7 * 7 }}"

pytestmark = pytest.mark.slow  # for the study that all of them read


@pytest.fixture(scope="module")
def run(checkpoint, corpus_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    for path in corpus_folder.rglob("*.txt"):
        (folder / path.parent.name).mkdir(exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines()
        hostile = "\n".join(f"{HOSTILE} {line}" for line in lines)
        (folder / path.parent.name / path.name).write_text(hostile, encoding="utf-8")
    bitext = tmp_path_factory.mktemp("bitext")
    for code, lines in (
        ("spa_Latn", ("el gato", "un perro", "llueve")),
        ("eng_Latn", ("the cat", "a dog", "it rains")),
    ):
        (bitext / f"spa_Latn-eng_Latn.{code}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = StudyConfig(
        model=str(checkpoint), corpus=str(folder), targets=["es", "ja"], k=[20], dtype="float32",
        generation={"texts": 3, "max_new_tokens": 6}, perplexity={"characters": 600, "stride": 32, "window": 64},
        paraphrase={"limit": 8, "languages": ["es", "ja"]}, projection={"sentences": 3, "n_neighbors": 5},
        bitext={"corpora": [str(bitext)]}, correlation={"resamples": 100}, sweep={"k": [40]},
        pretrained_languages=["en", "es", "fr"],
    )  # fmt: skip
    return il.run_study(config, tmp_path_factory.mktemp("runs") / "study")


@pytest.fixture(scope="module")
def tables(run):
    return {table.name: table for table in paper_tables({"tiny": run})}


@pytest.fixture(scope="module")
def page(run):
    return write_report(run).read_text(encoding="utf-8")


class Elements(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found, self.texts, self.open = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if "script" not in self.open and "style" not in self.open:
            self.texts.append(data)


def test_every_table_of_the_paper_that_there_is_data_for(tables):
    assert list(tables) == [
        "verdicts", "summary", "table-1-distances", "landing", "table-2-correlations", "table-3-5-paraphrases",
        "table-6-paraphrases-random", "table-7-bitext", "experts", "overlap", "gains", "controls", "figure-3-sweep",
    ]  # fmt: skip


def test_table_1_is_the_mean_over_targets(run, tables):
    frame = tables["table-1-distances"].frame.set_index("distance")
    distances = run.tables["geometry"].query("measure == 'distance'")
    of_targets = [
        distances.query("condition == 'steered' and target == @target").value.mean() for target in run.config.targets
    ]
    assert frame.post["between all"] == pytest.approx(sum(of_targets) / 2)
    assert frame.pre["between all"] == pytest.approx(distances.query("condition == 'original'").value.mean())
    assert frame.targets.tolist() == [2] * 4


def test_table_2_leaves_out_what_is_not_defined(run, tables):
    frame = tables["table-2-correlations"].frame
    table = (
        run.tables["correlation"]
        .query("correlation == 'acc_post ~ d_post' and condition == 'steered'")
        .set_index(["target", "k", "among"])
    )
    assert len(frame) == len(table)
    for row in frame.to_dict("records"):
        expected = table.loc[(row["language"], row["k"], row["among"])]
        assert pd.isna(row["acc_post ~ d_post"]) == (not expected.defined)
        assert pd.isna(row["acc_post ~ d_post"]) or row["acc_post ~ d_post"] == expected.r


def test_paraphrases_are_of_the_targets_own_language(run, tables):
    table = run.tables["paraphrase"]
    for row in tables["table-3-5-paraphrases"].frame.to_dict("records"):
        rows = table[(table.language == row["language"])]
        assert row["pre"] == rows[rows.condition == "pre"].top1.item()
        steered = rows[(rows.target == row["language"]) & (rows.k == row["k"])].set_index("condition").top1
        assert (row["post"], row["mixed"]) == (steered["post"], steered["mixed"])


def test_bitext_names_the_other_language_where_english_is_the_target(run):
    rows = [
        ("original", None, None, 0, "spa_Latn", "eng_Latn", 0.1),
        ("original", None, None, 0, "eng_Latn", "spa_Latn", 0.2),
        ("original", None, None, 0, "jpn_Jpan", "eng_Latn", 0.3),
        ("original", None, None, 0, "eng_Latn", "jpn_Jpan", 0.4),
        ("steered", "eng_Latn", "set-to-mean", 5, "jpn_Jpan", "eng_Latn", 0.7),
        ("steered", "eng_Latn", "set-to-mean", 5, "eng_Latn", "jpn_Jpan", 0.8),
        ("steered", "eng_Latn", "set-to-mean", 5, "spa_Latn", "eng_Latn", 0.5),
        ("steered", "eng_Latn", "set-to-mean", 5, "eng_Latn", "spa_Latn", 0.6),
        ("steered", "jpn_Jpan", "set-to-mean", 5, "jpn_Jpan", "eng_Latn", 0.9),
        ("steered", "jpn_Jpan", "set-to-mean", 5, "spa_Latn", "eng_Latn", 0.0),
        ("steered", "jpn_Jpan", "set-to-mean", 5, "eng_Latn", "jpn_Jpan", 1.0),
    ]  # fmt: skip
    names = ["condition", "target", "kind", "k", "query", "candidate", "top1"]
    made = pd.DataFrame(rows, columns=names).assign(corpus="folder/tatoeba", n=8)
    one = SimpleNamespace(tables={"bitext": made}, config=run.config, manifest=run.manifest)
    (table,) = bitexts({"m": one})
    shown = ["target", "language", "pre", "post", "back_pre", "back_post"]
    assert table.frame[shown].to_numpy().tolist() == [
        ["eng_Latn", "spa_Latn", 0.1, 0.5, 0.2, 0.6],
        ["eng_Latn", "jpn_Jpan", 0.3, 0.7, 0.4, 0.8],
        ["jpn_Jpan", "jpn_Jpan", 0.3, 0.9, 0.4, 1.0],
    ]


def test_unseen_languages_are_marked_in_every_format(run, tables, page):
    assert unseen_languages(run) == {*run.manifest["evaluation"]["languages"]} - {"eng_Latn", "spa_Latn", "fra_Latn"}
    table = tables["table-3-5-paraphrases"]
    assert {cell.text for row in table.rows() for cell in row if cell.unseen} == {"Japanese"}
    assert r"\textcolor{red}{Japanese}" in latex(table)
    assert "Japanese †" in markdown(table)
    assert 'class="unseen "' in page


class TestPublished:
    """Beside a run of one of the paper's models stand the paper's numbers."""

    @pytest.fixture
    def of_bloom(self, run, tmp_path, monkeypatch):
        copy = Run(tmp_path)
        copy.begin(run.config.model_copy(update={"model": "bigscience/bloom-7b1", "pretrained_languages": None}))
        copy.write_manifest(run.manifest)
        copy.write_tables({name: _with_k(table, 100) for name, table in run.tables.items()})
        return {table.name: table for table in paper_tables({"bloom": copy})}

    def test_value_and_difference(self, of_bloom):
        table = of_bloom["table-3-5-paraphrases"]
        spanish = table.frame.set_index("language").loc["spa_Latn"]
        paper = published().query("table == '3' and model == 'Bloom-7b'").set_index("condition").value
        assert spanish["mixed paper"] == paper["mixed"] == 0.33
        assert spanish["mixed difference"] == pytest.approx(spanish["mixed"] - 0.33)
        assert "paper: mixed" in [column.heading for column in table.columns]

    def test_every_table_of_numbers_has_them(self, of_bloom):
        for name in ("table-1-distances", "table-2-correlations", "table-3-5-paraphrases", "experts", "gains"):
            assert any(column.heading.startswith("paper") for column in of_bloom[name].columns), name

    def test_not_at_another_k(self, run, tables):
        assert not any("paper" in name for table in tables.values() for name in table.frame)


def _with_k(table, k):
    return table.assign(k=table.k.where(table.k == 0, k)) if "k" in table else table


def test_latex_and_markdown_escape_what_they_must():
    frame = pd.DataFrame(
        {"a": ["50 % of a_b & c|d <i>"], "language": ["jpn_Jpan"], "model": ["m"], "r": [0.5], "p": [0.0321]}
    )
    columns = (Column("a", "a_b"), Column("language", "language", language=True), Column("r", "r", 2, p="p"))
    table = PaperTable("t", "Title", "note", frame, columns, {"m": frozenset({"jpn_Jpan"})})
    assert r"50 \% of a\_b \& c|d <i> & \textcolor{red}{Japanese} & 0.50, p = 0.032 \\" in latex(table)
    assert r"| 50 % of a\_b & c\|d \<i\> | Japanese † | 0.50, p = 0.032 |" in markdown(table)


def test_tables_are_written_and_old_ones_removed(run, page, tables, no_figures, tmp_path):
    folder = run.folder / "tables"
    assert {path.name for path in folder.iterdir()} == {
        f"{name}.{suffix}" for name in tables for suffix in ("csv", "tex", "md")
    }
    again = shutil.copytree(folder, tmp_path / "tables")
    (again / "old.csv").write_text("1")
    write_report(run, tmp_path)
    assert not (again / "old.csv").exists()
    frame = pd.read_csv(again / "gains.csv")
    pd.testing.assert_frame_equal(
        frame.drop(columns="model"), tables["gains"].frame.drop(columns="model"), check_dtype=False
    )


def test_a_corpus_cannot_write_into_the_page(page):
    elements = Elements(page)
    scripts = [attributes for tag, attributes in elements.found if tag == "script"]
    assert len(scripts) == 4  # plotly, two charts and our own
    assert not [attributes for tag, attributes in elements.found if tag == "img"]
    assert "alert(1)" in page  # it is there, as data
    assert page.count("<script>alert(1)") == 0
    assert "{{ 7 * 7 }}" in page
    assert "49" not in "".join(re.findall(r"\}\} (\d+)", page))


def test_the_page_asks_nothing_of_a_network(page):
    elements = Elements(page)
    for tag, attributes in elements.found:
        for name in ("src", "href", "xlink:href", "action"):
            if attributes.get(name) and tag != "a":  # a link asks for nothing until it is followed
                assert attributes[name].startswith(("#", "data:")), (tag, attributes)
    assert "default-src 'none'" in page


def test_a_text_in_no_language_is_shown_as_such(run, tmp_path, no_figures):
    other = Run(tmp_path / "run")
    shutil.copytree(run.folder, other.folder)
    texts = other.tables["texts"].assign(language=None, posterior=0.0)
    other.write_tables({"texts": texts.astype({"language": "str"})})
    other.write_manifest(run.manifest)
    assert "<footer>no language, 0.00</footer>" in write_report(Run(other.folder)).read_text(encoding="utf-8")


def test_the_claims_are_folded_and_have_their_numbers(run, page):
    elements = Elements(page)
    folded = [
        attributes for tag, attributes in elements.found if tag == "details" and attributes.get("class") == "claim"
    ]
    assert len(folded) == len(run.tables["claims"])
    assert not any("open" in attributes for attributes in folded)
    text = "".join(elements.texts)
    assert all(numbers in text for numbers in run.tables["claims"].numbers)


def test_the_page_has_the_whole_config(run, page):
    (shown,) = re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)
    assert StudyConfig.model_validate(yaml.safe_load(html.unescape(shown))) == run.config
    assert set(yaml.safe_load(html.unescape(shown))) == set(StudyConfig.model_fields)
    assert "https://aclanthology.org/2025.acl-long.118/" in page


def test_every_figure_says_what_it_shows(page):
    elements = Elements(page)
    drawn = [attributes for tag, attributes in elements.found if tag == "svg"]
    drawn += [attributes for tag, attributes in elements.found if attributes.get("class") == "chart"]
    assert len(drawn) > 4
    assert all(attributes["role"] == "img" and len(attributes["aria-label"]) > 8 for attributes in drawn)


def test_conditions_stand_in_one_order(tables, page):
    for name in ("summary", "gains", "landing"):
        for _, rows in tables[name].frame.groupby("target" if "target" in tables[name].frame else "model"):
            known = [condition for condition in rows.condition if condition in ORDER]
            assert known == sorted(known, key=ORDER.index), name


def test_no_text_of_a_table_becomes_a_formula(tmp_path):
    frame = pd.DataFrame({"model": ["=1+1", "@x", "-cmd", "+3", "a=b", "\t=1"], "n": [-1.5, 2, 3, 4, 5, 6]})
    table = PaperTable("t", "Title", "", frame, (Column("model", "model"), Column("n", "n", 1)))
    write_tables([table], tmp_path)
    lines = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1:6] == ["'=1+1,-1.5", "'@x,2.0", "'-cmd,3.0", "'+3,4.0", "a=b,5.0"]
    assert not lines[6].lstrip('"').startswith(("\t", "="))


def test_the_claims_come_first(page):
    text = "".join(Elements(page).texts)
    assert text.index("The paper's claims") < text.index("Summary")
    for number in range(1, 11):
        assert f"C{number}" in text


def test_each_target_has_its_verdicts(run, tables):
    frame = tables["verdicts"].frame
    judged = run.tables["claims_by_target"]
    for row in judged[judged.k.isna() | judged.k.isin(run.config.k)].itertuples():
        same_k = frame.k.isna() if pd.isna(row.k) else frame.k == row.k
        assert row.verdict in set(frame[(frame.claim == row.claim) & same_k][row.target])


def test_a_page_is_written_from_the_run_folder_alone(run, tmp_path, page, no_figures):
    """Neither model nor corpus is opened: both are gone."""
    copy = Run(tmp_path / "copy")
    copy.begin(run.config.model_copy(update={"model": "nowhere/model", "corpus": "nowhere"}))
    copy.write_manifest(run.manifest)
    copy.write_tables(run.tables)
    assert "nowhere/model on nowhere" in write_report(copy).read_text(encoding="utf-8")


def test_what_was_not_measured_is_left_out(run, tmp_path, no_figures):
    copy = Run(tmp_path / "copy")
    copy.begin(run.config)
    copy.write_manifest(run.manifest)
    copy.write_tables({"retrieval": run.tables["retrieval"]})
    page = write_report(copy).read_text(encoding="utf-8")
    assert 'id="map"' not in page
    assert 'id="heat"' in page
    assert {path.stem for path in (tmp_path / "copy" / "tables").iterdir()} == {"gains"}


def test_a_comparison_has_rows_for_each_run(run, tmp_path):
    other = Run(tmp_path / "other")
    other.begin(run.config)
    other.write_manifest(run.manifest)
    other.write_tables({name: run.tables[name] for name in ("retrieval", "claims")})
    page = write_comparison([run, other], tmp_path / "c")
    assert "(study) beside" in page.read_text(encoding="utf-8")
    frame = pd.read_csv(tmp_path / "c" / "tables" / "gains.csv")
    first, second = (rows.drop(columns="model") for _, rows in frame.groupby("model"))
    pd.testing.assert_frame_equal(first.reset_index(drop=True), second.reset_index(drop=True))
    with pytest.raises(InputError, match="rename a folder"):
        write_comparison([run, run], tmp_path / "c")


def test_figures_are_those_of_the_paper_and_the_same_again(run, page):
    folder = run.folder / "figures"
    drawn = {path.name: path.read_bytes() for path in folder.iterdir()}
    stems = {name.rpartition(".")[0] for name in drawn}
    for code in ("es", "ja"):
        assert {
            f"from-target-{code}-k20",
            f"from-target-random-{code}-k20",
            f"change-{code}-k20",
            f"space-{code}-k20",
        } <= stems
    assert {"sweep", "distances"} <= stems
    assert drawn.keys() == {f"{stem}.{suffix}" for stem in stems for suffix in ("svg", "pdf")}
    write_report(run)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == drawn
    assert page.count("<figure>") == len(stems)
