"""The studies that are published here: their tables hold no text, their claims are those of their tables."""

from pathlib import Path

import pandas as pd
import pytest

import interlingua as il
from interlingua.report import write_report
from interlingua.report.figures.draw import _first
from interlingua.study import load_config, open_run

ROOT = Path(__file__).parents[1]
RUNS = sorted(path.parent for path in (ROOT / "studies").rglob("manifest.json"))
PAGE = ROOT / "docs" / "studies" / "gemma3-270m.md"
LONGEST = 50  # of what a table calls things: codes of languages, conditions, kinds, folders
IN_WORDS = {name: {"statement", "numbers"} for name in ("claims", "claims_by_target")}


@pytest.mark.parametrize("folder", RUNS, ids=lambda path: path.name)
def test_no_sentence_of_a_corpus_is_passed_on(folder):
    for path in (folder / "results").iterdir():
        assert path.suffix == ".parquet"
        table = pd.read_parquet(path)
        words = table.drop(columns=IN_WORDS.get(path.stem, {"bits"} & set(table))).select_dtypes(
            exclude=["number", "bool"]
        )
        for name, column in words.items():
            assert (column.dropna().astype(str).str.len() <= LONGEST).all(), f"{path.name}, {name}"


@pytest.mark.parametrize("folder", RUNS, ids=lambda path: path.name)
def test_the_claims_are_those_of_the_tables(folder):
    run = open_run(folder)
    tables = {name: table for name, table in run.tables.items() if not name.startswith("claims")}
    pd.testing.assert_frame_equal(il.claims(tables), run.tables["claims"], check_dtype=False)


def test_the_page_has_the_verdict_and_numbers_of_every_claim():
    shown = " ".join(PAGE.read_text(encoding="utf-8").split())
    claims = open_run(ROOT / "studies" / "gemma3-270m").tables["claims"]
    for row in claims[claims.k.isna() | (claims.k == 2000)].itertuples():
        assert f"| {row.claim} | {row.statement} | {row.verdict} | {row.numbers} |" in shown, row.claim


def test_the_pages_name_every_published_run():
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGE.parent.glob("*.md"))
    assert [folder.name for folder in RUNS if folder.name not in pages] == []


@pytest.mark.slow
def test_a_large_grid_is_shown_by_claim_and_by_its_first_combination(tmp_path, few_figures):
    pytest.importorskip("matplotlib", reason="the extra `plots` is not installed")
    run = open_run(ROOT / "studies" / "grid")
    page = write_report(run, tmp_path).read_text(encoding="utf-8")
    claims = run.tables["claims"].groupby("claim").size()
    assert page.count('<details class="claims">') == (claims > 12).sum() > 0
    assert page.count('<details class="claim">') == claims.sum()
    assert "26 of 36 hold" in page
    assert page.count("Of the grid the first combination alone: set-to-mean.") == 2
    for name in ("sweep", "geometry_summary"):
        assert (
            set(run.tables[name].kind.dropna()) > set(_first(run, run.tables[name])[0].kind.dropna()) == {"set-to-mean"}
        )
    assert "# By interlingua 0.1.0; a key that it did not have has today&#39;s default." in page


@pytest.mark.parametrize("folder", RUNS, ids=lambda path: path.name)
def test_the_config_of_a_published_run_loads(folder):
    assert load_config(folder / "study.yaml").model == "gemma3-270m"
