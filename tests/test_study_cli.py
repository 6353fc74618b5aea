"""The command `study` as a user meets it: what it prints beside a run, and how it ends when cells fail."""

import re
import shutil
import sys

import pytest

import interlingua as il
from conftest import listening, make_model
from interlingua.analysis.schema import ORIGINAL
from interlingua.experts import find_experts
from interlingua.study import StudyConfig, estimate_study, load_config
from interlingua.study.cells import ARRAYS, EXPERTS, TABLES, Work
from interlingua.study.cells.embeddings import embed_all
from interlingua.study.cells.perplexity import measure_perplexity
from interlingua.study.corpora import load_corpora
from interlingua.study.counting import cost_of
from interlingua.study.plan import plan
from interlingua.study.sections import MEASURES


@pytest.fixture
def run_cli(run_cli, no_figures):
    return lambda *arguments: run_cli("study", *arguments)


@pytest.fixture
def few(checkpoint, corpus_folder, tmp_path):
    on = ("--model", checkpoint, "--corpus", corpus_folder, "-k", 5, "--dtype", "float32", "--out", tmp_path / "r")
    return (*on, "--measure", "retrieval", "--measure", "geometry")


def test_print_config_prints_what_loads_again(run_cli, tmp_path):
    code, printed, _ = run_cli("flores200", "--print-config", "-k", 7)
    assert code == 0
    (tmp_path / "s.yaml").write_text(printed, encoding="utf-8")
    assert load_config(tmp_path / "s.yaml") == load_config("flores200", k=[7])


def test_a_dry_run_starts_nothing_and_marks_what_is_done(run_cli, few, tmp_path):
    code, printed, _ = run_cli(*few, "--dry-run")
    assert (code, list(tmp_path.iterdir())) == (0, [])
    assert re.search(r"16 of 16 cells to compute: [\d,]+ tokens, about \d+ s on this machine", printed)
    run_cli(*few)
    code, printed, _ = run_cli(*few, "--kind", "set-to-mean", "--kind", "ablate", "--dry-run")
    assert code == 0
    assert "10 of 26 cells to compute" in printed
    assert re.search(r"^embeddings, steered es k=5 +done", printed, re.MULTILINE)
    assert re.search(r"^embeddings, steered es ablate k=5 +\d+ +\d+", printed, re.MULTILINE)


def test_status_tells_what_is_done_and_what_failed(run_cli, few, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("interlingua.study.cells.spaces.geometry", None)
        code, printed, errors = run_cli(*few)
    assert code == 1
    assert "error: 5 cells of the study failed" in errors
    assert "geometry, steered es k=5: TypeError" in errors
    assert "Report: " in printed, "what there is is reported"
    code, printed, _ = run_cli("--status", tmp_path / "r")
    assert code == 0
    assert "16 cells: 11 done, 5 failed" in printed
    assert "failed: geometry, original: TypeError" in printed
    assert run_cli(*few)[0] == 0
    assert "16 cells: 16 done" in run_cli("--status", tmp_path / "r")[1]
    code, _, errors = run_cli("--status", tmp_path / "nothing")
    assert (code, "holds no study" in errors) == (2, True)


def test_a_second_run_says_that_there_is_nothing_to_do(run_cli, few):
    run_cli(*few)
    code, printed, _ = run_cli(*few)
    assert code == 0
    assert "Nothing to do: all 16 cells are done" in printed


def test_the_summary_has_behaviour_and_claims(run_cli, few):
    code, printed, _ = run_cli(*few, "--measure", "generation")
    assert code == 0
    assert re.search(r"^steered +Spanish +5 +0\.\d{3}$", printed, re.MULTILINE)
    assert re.search(r"^  not measured: .*C2", printed, re.MULTILINE)


def test_the_summary_of_several_kinds_names_them_and_none_for_the_original(run_cli, few):
    _, printed, _ = run_cli(*few, "--kind", "set-to-mean", "--kind", "ablate")
    rows = re.findall(r"^(original|steered|random)(.*?) +Spanish", printed, re.MULTILINE)
    assert [(name, kind.strip()) for name, kind in rows] == [
        ("original", ""), ("steered", "set-to-mean"), ("random", "set-to-mean"),
        ("steered", "ablate"), ("random", "ablate"),
    ]  # fmt: skip


def test_warnings_of_a_corpus_are_said_once_on_stderr_and_in_the_log(run_cli, corpus_folder, few, tmp_path):
    repeated = shutil.copytree(corpus_folder, tmp_path / "repeated")
    path = repeated / "devtest" / "spa_Latn.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], lines[0], *lines[2:]]) + "\n", encoding="utf-8")
    _, printed, errors = run_cli(*few, "--corpus", repeated)
    line = (
        f"warning: corpus '{repeated}' (devtest): spa_Latn: 1 line that repeats an earlier one, which makes retrieval "
        f"ambiguous (first: line 2); `interlingua corpus show {repeated}` lists them"
    )
    assert errors.splitlines().count(line) == 1
    assert "warning: corpus" not in printed
    assert (tmp_path / "r" / "study.log").read_text(encoding="utf-8").count(line) == 1
    assert "warning: corpus" not in run_cli(*few, "--corpus", repeated)[2], "nothing was computed"


def test_without_umap_there_is_no_map_and_no_failure(checkpoint, corpus_folder, tmp_path, monkeypatch):
    config = StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), k=[5], dtype="float32", measures=["geometry", "projection"]
    )
    monkeypatch.setitem(sys.modules, "umap", None)
    with listening() as said:
        run = il.run_study(config, tmp_path / "r")
    assert run.manifest["failed"] == []
    assert "projection" not in run.tables
    assert said.count("warning: no projection: it needs the extra 'plots': pip install 'interlingua[plots]'") == 1


def test_an_estimate_for_several_devices_shares_the_cells(checkpoint, corpus_folder, tmp_path, run_cli, few):
    config = StudyConfig(
        model=str(checkpoint),
        corpus=str(corpus_folder),
        k=[5],
        dtype="float32",
        device="cpu,cpu",
        measures=["geometry"],
    )
    estimate = estimate_study(config, tmp_path / "r")
    assert estimate.workers == 2
    longest = max(estimate.speed.seconds(cost) for cost in estimate.to_do)
    assert max(estimate.seconds / 2, longest) <= estimate.seconds_together <= estimate.seconds
    printed = " ".join(run_cli(*few, "--device", "cpu,cpu", "--dry-run")[1].split())
    assert re.search(r"on this machine by one worker, \d+ s by 2, and", printed)


def tokens_given(model):
    """Return a list that grows by how many tokens the body is given, padding left out, whenever it runs."""
    seen = []

    def count(module, args, kwargs):
        ids, mask = kwargs.get("input_ids", args[0] if args else None), kwargs["attention_mask"]
        seen.append(ids.numel() if mask is None else int(mask[:, -ids.shape[1] :].sum()))

    model.body.register_forward_pre_hook(count, with_kwargs=True)
    return seen


def test_every_measure_that_runs_the_model_costs_what_the_model_is_given(corpus_folder, tmp_path):
    """Run a cell of each; one of a new measure must be among them, and have a line in `COSTS`."""
    (tmp_path / "es-en.es.txt").write_text("el gato\nun perro come\n", encoding="utf-8")
    (tmp_path / "es-en.en.txt").write_text("the cat\na dog eats\n", encoding="utf-8")
    config = StudyConfig(
        corpus=str(corpus_folder), k=[5], measures=MEASURES,
        perplexity={"characters": 900, "stride": 40, "window": 96}, paraphrase={"limit": 3},
        bitext={"corpora": [str(tmp_path)]}, control={"draws": 2},
        generation={"texts": 33, "seeds": [0, 1], "max_new_tokens": 4, "prompts": "prompts"},
    )  # fmt: skip
    model, corpora = make_model("llama"), load_corpora(config)
    model.hf.generation_config.eos_token_id = None
    cells = {}
    for cell in plan(config, model.identity(), corpora):
        cells.setdefault(cell.measure, cell)
    assert set(cells) == {*EXPERTS, *ARRAYS, *TABLES}
    needs = {"experts": find_experts(model, corpora.probe)}
    needs[ORIGINAL] = embed_all(Work(cells["embeddings"], {}, corpora, lambda: model))
    seen = tokens_given(model)
    for cell in (cell for cell in cells.values() if cell.model is not None):
        seen.clear()
        work = Work(cell, needs, corpora, lambda: model)
        if cell.measure in EXPERTS:
            EXPERTS[cell.measure](work, tmp_path / "experts", tmp_path / "recording")
        else:
            {**ARRAYS, **TABLES}[cell.measure](work)
        checks = 2 * 8 if cell.measure == "perplexity" else 0  # the model's own logits on eight tokens
        assert cost_of(cell, model, corpora).tokens == sum(seen) - checks > 0, cell.measure


def test_the_window_of_an_estimate_is_that_of_the_measure(corpus_folder):
    """Bloom's config names the most tokens that it reads in a way of its own; null takes as many as that."""
    config = StudyConfig(corpus=str(corpus_folder), k=[5], perplexity={"characters": 900, "stride": 40, "window": None})
    model, corpora = make_model("bloom"), load_corpora(config)
    del model.hf.config.max_position_embeddings
    model.hf.config.seq_length = 96
    cell = next(cell for cell in plan(config, model.identity(), corpora) if cell.measure == "perplexity")
    seen = tokens_given(model)
    measure_perplexity(Work(cell, {}, corpora, lambda: model))
    checks = 2 * 8  # the model's logits are compared with ours on eight tokens first
    assert sum(seen) - checks == cost_of(cell, model, corpora).read


def test_an_estimate_counts_only_what_is_missing(checkpoint, corpus_folder, tmp_path):
    config = StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), k=[5], dtype="float32", measures=["geometry"]
    )
    before = estimate_study(config, tmp_path / "r")
    assert before.seconds > 0
    assert before.response_bytes == 16 * 320 * 4
    il.run_study(config, tmp_path / "r")
    after = estimate_study(config, tmp_path / "r")
    assert (after.to_do, after.seconds) == ([], 0)
