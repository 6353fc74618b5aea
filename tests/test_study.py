import json
import shutil

import numpy as np
import pandas as pd
import pytest

import interlingua as il
from conftest import listening
from interlingua.analysis import summary
from interlingua.errors import ArtifactError, LanguageError
from interlingua.report import answer, write_report
from interlingua.study import StudyConfig
from interlingua.study.conditions import conditions


@pytest.fixture(scope="module")
def config(checkpoint, corpus_folder):
    return StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), targets=["Spanish", "Japanese"], k=[5, 20],
        dtype="float32", measures=["retrieval", "geometry"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(config, tmp_path_factory):
    return il.run_study(config, tmp_path_factory.mktemp("runs") / "study")


def test_tables_are_tidy_and_complete(run):
    retrieval, geometry = run.tables["retrieval"], run.tables["geometry"]
    assert list(retrieval.columns) == [
        "condition", "target", "kind", "k", "layer", "query", "candidate", "n", "top1", "low", "high", "f1",
    ]  # fmt: skip
    assert len(retrieval) == 16 * (1 + 2 * 2 * 2)
    assert set(retrieval.condition) == {"original", "steered", "random"}
    assert (retrieval.n == 4).all()
    assert set(geometry.measure) == {"distance", "distance_of_means", "distance_of_all_pairs", "distance_to_medoid"}
    assert not retrieval.drop(columns=["target", "kind"]).isna().any(axis=None)


def test_a_study_gives_what_the_rooms_give_by_hand(run, config, checkpoint, corpus_folder):
    model = il.load_model(checkpoint, dtype="float32")
    probe, evaluation = (il.open_corpus(corpus_folder).parallel(split) for split in ("dev", "devtest"))
    steer = il.set_to_mean(il.find_experts(model, probe), "spa_Latn", 20)
    drawn = next(c for c in conditions(config) if (c.name, c.target, c.k) == ("random", "spa_Latn", 20))
    with il.random_control(steer, model.neurons, drawn.seed).applied_to(model):
        spaces = {code: il.embed(model, evaluation[code]) for code in evaluation.languages}
    expected = il.retrieval(spaces).set_index(["query", "candidate"]).top1
    table = run.tables["retrieval"].query("condition == 'random' and target == 'spa_Latn' and k == 20")
    pd.testing.assert_series_equal(table.set_index(["query", "candidate"]).top1, expected)


def test_summary_is_the_mean_over_pairs_of_different_languages(run):
    table = run.tables["retrieval"].query("condition == 'steered' and target == 'jpn_Jpan' and k == 5")
    row = (
        summary(run.tables, run.config.targets)
        .query("condition == 'steered' and target == 'jpn_Jpan' and k == 5")
        .iloc[0]
    )
    different = table[table["query"] != table.candidate]
    assert row.top1 == pytest.approx(different.top1.mean())
    assert row.top1_from_target == pytest.approx(different[different["query"] == "jpn_Jpan"].top1.mean())
    assert len(summary(run.tables, run.config.targets)) == 2 * (1 + 2 * 2)
    assert len(answer(run)) == 4


def test_a_second_run_computes_nothing_again_and_gives_the_same_bits(run, config, monkeypatch):
    before = {name: table.copy() for name, table in run.tables.items()}
    monkeypatch.setattr("interlingua.study.worker.Worker.compute", None)
    written = [path for path in run.folder.rglob("*.*") if path.name not in ("study.log", "study.lock")]
    files = {path: path.stat().st_mtime_ns for path in written if path.is_file()}
    with listening() as said:
        again = il.run_study(config, run.folder)
    assert said[-1] == "Nothing to do: all 46 cells are done"
    assert {path: path.stat().st_mtime_ns for path in files} == files
    for name, table in again.tables.items():
        pd.testing.assert_frame_equal(table, before[name], check_exact=True)


def test_a_fresh_run_gives_the_same_bits(run, config, tmp_path):
    again = il.run_study(config, tmp_path / "again", fresh=True)
    for name, table in again.tables.items():
        pd.testing.assert_frame_equal(table, run.tables[name], check_exact=True)


def test_k_0_is_the_original_model(config, tmp_path):
    run = il.run_study(config.model_copy(update={"k": (0,), "targets": ("spa_Latn",)}), tmp_path / "run")
    wide = run.tables["retrieval"].pivot(index=["query", "candidate"], columns="condition", values="top1")
    assert (wide.steered == wide.original).all()
    assert (wide.random == wide.original).all()
    write_report(run)


def test_report_is_one_self_contained_page(run):
    html = write_report(run).read_text(encoding="utf-8").partition("<script>")[0]
    assert html.count("<svg") == html.count("<figure>") >= 2 * 4
    for sentence in answer(run):
        assert sentence in html
    ids = [part.split('"')[0] for part in html.split(' id="')[1:]]
    assert len(ids) == len(set(ids)), "ids of the figures do not clash"


def test_report_escapes_text_from_outside(config, checkpoint, tmp_path, corpus_folder):
    nasty = tmp_path / "<script>alert(1)</script>" / "corpus"
    nasty.parent.mkdir(parents=True)
    nasty.symlink_to(corpus_folder)
    run = il.run_study(config.model_copy(update={"corpus": str(nasty), "k": (5,)}), tmp_path / "run")
    page = write_report(run).read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_manifest_says_what_made_the_run(run, config):
    manifest = json.loads((run.folder / "manifest.json").read_text())
    assert manifest["interlingua"] == il.__version__
    assert manifest["probe"]["languages"] == ["eng_Latn", "fra_Latn", "jpn_Jpan", "spa_Latn"]
    assert manifest["evaluation"]["sentences"] == 4
    assert manifest["failed"] == []
    assert run.config == config


def test_default_languages_of_starter_are_the_papers():
    from interlingua.study.corpora import _parallel as _corpora

    probe, evaluation = _corpora(StudyConfig())
    assert set(probe.languages) == {"eng_Latn", "deu_Latn", "fra_Latn", "spa_Latn", "jpn_Jpan", "zho_Hans"}
    assert len(evaluation.languages) == 22
    assert "zho_Hans" not in evaluation.languages
    assert "kor_Hang" in _corpora(StudyConfig(targets=["Korean"]))[0].languages


def test_a_target_that_the_corpus_lacks_is_an_error():
    with pytest.raises(LanguageError, match="cannot steer to yor_Latn"):
        il.run_study(StudyConfig(targets=["Yoruba"]), "nowhere")


def test_embeddings_on_disk_are_those_of_the_model(run, checkpoint, corpus_folder):
    from safetensors.numpy import load_file

    il.run_study(run.config, run.folder)
    model = il.load_model(checkpoint, dtype="float32")
    evaluation = il.open_corpus(corpus_folder).parallel("devtest")
    embedded = il.embed(model, [s for code in evaluation.languages for s in evaluation[code]])[:4]
    stored = [load_file(path)["eng_Latn"] for path in (run.folder / "embeddings").iterdir()]
    assert any(np.array_equal(embedded, array) for array in stored)


@pytest.mark.parametrize(
    "change", [{"pooling": "max"}, {"special_tokens": True}, {"max_length": 5}, {"layer": 1}, {"limit": 3}]
)
def test_whatever_decides_the_results_is_computed_anew(config, run, tmp_path, change):
    """In a folder that holds another study's parts, a changed study gives what it gives in a folder of its own."""
    shutil.copytree(run.folder, tmp_path / "shared")
    changed = config.model_copy(update={**change, "k": (20,), "targets": ("spa_Latn",)})
    shared, alone = il.run_study(changed, tmp_path / "shared"), il.run_study(changed, tmp_path / "alone")
    before = run.tables["geometry"].query("k == 20 and target == 'spa_Latn'").value.tolist()
    assert shared.tables["geometry"].query("k == 20").value.tolist() != before
    for name, table in alone.tables.items():
        pd.testing.assert_frame_equal(shared.tables[name], table, check_exact=True)


def test_a_changed_checkpoint_of_the_same_name_is_computed_anew(config, tmp_path):
    from conftest import make_model

    changing = config.model_copy(update={"model": str(tmp_path / "m"), "k": (5,)})
    make_model("llama", seed=0).save_pretrained(tmp_path / "m")
    first = il.run_study(changing, tmp_path / "run").tables["geometry"]
    make_model("llama", seed=1).save_pretrained(tmp_path / "m")
    second = il.run_study(changing, tmp_path / "run").tables["geometry"]
    assert not first.value.equals(second.value)


def test_fresh_removes_no_file_of_the_users(config, tmp_path):
    mine = tmp_path / "run" / "experts" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("kept")
    il.run_study(config, tmp_path / "run", fresh=True)
    assert mine.read_text() == "kept"


def test_a_target_is_always_measured():
    from interlingua.study.corpora import _parallel as _corpora

    assert "zho_Hans" in _corpora(StudyConfig(targets=["Chinese"]))[1].languages


def test_a_broken_table_or_manifest_is_an_error(config, tmp_path):
    run = il.run_study(config, tmp_path / "run")
    (run.folder / "results" / "geometry.parquet").write_bytes(b"no table")
    with pytest.raises(ArtifactError, match=r"geometry.parquet' cannot be read"):
        write_report(il.open_run(run.folder))
    (run.folder / "manifest.json").write_text("{")
    with pytest.raises(ArtifactError, match=r"manifest of .* cannot be read"):
        _ = il.open_run(run.folder).manifest
