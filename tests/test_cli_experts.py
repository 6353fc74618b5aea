"""The commands from experts to a steered checkpoint, as a user meets them."""

import re

import numpy as np
import pytest

import interlingua as il


def test_experts_of_two_poolings_go_on_from_a_recording(run_cli, checkpoint, corpus_folder, tmp_path, monkeypatch):
    command = ("experts", "--model", checkpoint, "--corpus", corpus_folder, "--pooling", "mean", "--pooling", "max")
    with monkeypatch.context() as patch:
        patch.setattr(
            "interlingua.experts.where_seen.score_neurons", lambda *a: (_ for _ in ()).throw(OSError("power cut"))
        )
        code, _, errors = run_cli(*command, "--out", tmp_path / "e", "-k", 20)
    assert (code, errors) == (1, "error: power cut\n")
    assert (tmp_path / "e.recording" / "responses.bin").is_file()
    code, printed, _ = run_cli(*command, "--out", tmp_path / "e", "-k", 20)
    assert code == 0
    assert "Experts, max:" in printed
    assert sorted(path.name for path in (tmp_path / "e").iterdir()) == ["max", "mean"]
    assert not (tmp_path / "e.recording").exists()


def test_experts_to_steered_text_and_checkpoint(run_cli, checkpoint, corpus_folder, tmp_path):
    """The whole way through the commands, as a user would go it."""
    on = ("--model", checkpoint, "--dtype", "float32")
    code, printed, _ = run_cli("experts", *on, "--corpus", corpus_folder, "-k", 20, "--out", tmp_path / "experts")
    assert code == 0
    assert re.search(r"^Spanish +([01]\.\d{3} +){3}-?[01]\.\d{3} +[01](\.5)? +\d\.\w+\.\d+ *$", printed, re.MULTILINE)
    assert re.search(r"^Spanish +\d+ +\d+ +\d+", printed, re.MULTILINE), "the matrix of shared experts"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["experts"], "the recording is gone"
    made = ("intervene", "--experts", tmp_path / "experts", "--target", "es")
    code, printed, _ = run_cli(*made, "-k", 30, "--out", tmp_path / "es")
    assert (code, "set-to-mean: edits 30 neurons" in printed) == (0, True)
    code, plain, _ = run_cli("generate", *on, "-n", 2, "--max-new-tokens", 8)
    code, steered, _ = run_cli("generate", *on, "-n", 2, "--max-new-tokens", 8, "--intervention", tmp_path / "es")
    assert code == 0
    assert plain != steered
    code, printed, _ = run_cli("bake", *on, "--intervention", tmp_path / "es", "--out", tmp_path / "baked")
    assert code == 0
    code, baked, _ = run_cli(
        "generate", "--model", tmp_path / "baked", "--dtype", "float32", "-n", 2, "--max-new-tokens", 8
    )
    assert baked == steered
    (tmp_path / "lines.txt").write_text("el gato\nun perro\n")
    embed = ("embed", *on, tmp_path / "lines.txt", "--intervention", tmp_path / "es")
    code, _, _ = run_cli(*embed, "--out", tmp_path / "lines.npy")
    model = il.load_model(checkpoint, dtype="float32")
    with il.Intervention.from_pretrained(tmp_path / "es").applied_to(model):
        assert (np.load(tmp_path / "lines.npy") == il.embed(model, ["el gato", "un perro"])).all()


def test_options_of_intervene(run_cli, experts, tmp_path):
    experts.save_pretrained(tmp_path / "experts")
    made = ("intervene", "--experts", tmp_path / "experts", "--target", "es", "-k", 60, "--out", tmp_path / "edit")
    run_cli(*made, "--kind", "dampen", "--option", "factor=0.2", "--layer", 1, "--module", "up_proj", "--strength", 0.5)
    edit = il.Intervention.from_pretrained(tmp_path / "edit")
    assert list(edit.edits) == ["model.layers.1.mlp.up_proj"]
    np.testing.assert_allclose(edit.edits["model.layers.1.mlp.up_proj"].scale, 0.6)
    run_cli(*made, "--control", "matched", "--seed", 3)
    assert il.Intervention.from_pretrained(tmp_path / "edit").kind == "random control of set-to-mean"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kind", "set-to-max"], "unknown kind 'set-to-max'; use set-to-mean"),
        (["--kind", "dampen", "--option", "factor"], "write NAME=VALUE"),
        (["--kind", "ablate", "--option", "factor=1"], "'ablate' takes no factor"),
        (["--control", "odd"], "unknown control 'odd'; use uniform, matched"),
        (["--kind", "dampen", "--option", "factor=high"], "'dampen' cannot take factor="),
        (["--kind", "dampen", "--option", "factor=["], "is not a number, word or list"),
        (["--strength", "2"], "strength must lie between 0 and 1"),
        (["--layer", "9"], "the model has no 9; it has 0, 1"),
    ],
)
def test_wrong_options_of_intervene(run_cli, experts, tmp_path, arguments, message):
    experts.save_pretrained(tmp_path / "experts")
    made = ("intervene", "--experts", tmp_path / "experts", "--target", "es", "-k", 5, "--out", tmp_path / "edit")
    code, _, errors = run_cli(*made, *arguments)
    assert code == 2
    assert message in errors
    assert not (tmp_path / "edit").exists()


def test_list_interventions_explains_each(run_cli):
    _, printed, _ = run_cli("list", "interventions")
    assert printed.count("Source: ") == 11
    _, printed, _ = run_cli("list", "finders")
    assert printed.count("Source: ") == 6
