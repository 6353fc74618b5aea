"""Damage of every kind to what is on disk: it is mended or named in a line, and nothing else happens."""

import json
import os
import shutil
import sys

import numpy as np
import pandas as pd
import pytest

import interlingua as il
from interlingua.errors import InterlinguaError
from interlingua.report import answer, write_report
from interlingua.study import StudyConfig
from interlingua.study.cell_store import CellStore

DAMAGES = {
    "absent": lambda data: None,
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "other bytes": lambda data: bytes(byte ^ 90 for byte in data),
    "one bit": lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :],
    "{}": lambda data: b"{}",
    "[1]": lambda data: b"[1]",
    "null": lambda data: b"null",
    "deep": lambda data: b"[" * 100_000,
    "digits": lambda data: b'{"seconds": ' + b"9" * 5000 + b"}",
}


@pytest.fixture(scope="module")
def finished(checkpoint, corpus_folder, tmp_path_factory):
    config = StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), k=[5], targets=["es"], measures=["retrieval", "geometry"]
    )
    run = il.run_study(config, tmp_path_factory.mktemp("hostile") / "run")
    return config, run, {name: table.copy() for name, table in run.tables.items()}


def files_of(folder):
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix in (".json", ".parquet", ".yaml", ".safetensors")
        and "figures" not in path.parts
    )


def read_all(folder):
    """Do all that reads a run folder, and return how often it said what is wrong in a line."""
    said = 0
    for read in (
        lambda: CellStore(folder).states(),
        lambda: answer(il.open_run(folder)),
        lambda: {name: len(table) for name, table in il.open_run(folder).tables.items()},
        lambda: il.open_run(folder).config,
        lambda: il.open_run(folder).manifest["probe"],
    ):
        try:
            read()
        except InterlinguaError as error:
            said += 1
            assert len(str(error)) < 600
    return said


@pytest.mark.slow
@pytest.mark.parametrize("kind", DAMAGES)
def test_any_file_of_a_run_may_be_damaged_and_the_study_mends_it(finished, tmp_path, kind):
    config, run, tables = finished
    by_kind = {name.partition("/")[0] + name[-5:]: name for name in files_of(run.folder)}  # one file of each sort
    for name in by_kind.values():
        folder = tmp_path / "run"
        shutil.copytree(run.folder, folder)
        damaged = DAMAGES[kind]((folder / name).read_bytes())
        (folder / name).unlink()
        if damaged is not None:
            (folder / name).write_bytes(damaged)
        read_all(folder)
        again = il.run_study(config, folder)
        assert set(again.tables) == set(tables)
        for title, table in tables.items():
            pd.testing.assert_frame_equal(again.tables[title], table, check_exact=True, obj=f"{title}, {name} {kind}")
        assert read_all(folder) == 0
        shutil.rmtree(folder)


def test_a_table_whose_numbers_were_changed_is_not_reported_and_is_put_together_again(finished, tmp_path):
    config, run, tables = finished
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    path = folder / "results" / "retrieval.parquet"
    tables["retrieval"].assign(top1=0.99).to_parquet(path, index=False)
    with pytest.raises(InterlinguaError, match="it is not as the study wrote it; run the study again"):
        write_report(il.open_run(folder))
    assert il.run_study(config, folder).tables["retrieval"].equals(tables["retrieval"])
    path.unlink()
    with pytest.raises(InterlinguaError, match=r"retrieval\.parquet' cannot be read"):
        answer(il.open_run(folder))
    assert il.run_study(config, folder).tables["retrieval"].equals(tables["retrieval"])


def test_a_run_of_an_earlier_version_without_checksums_is_still_reported(finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished[1].folder, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest.pop("tables")) == set(finished[2])
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert answer(il.open_run(folder)) == answer(finished[1])
    assert np.isfinite(il.open_run(folder).tables["retrieval"].top1).all()


LARGE = "99999999999999999999"
BAD_TEXTS = [
    "",
    " ",
    "nan",
    "inf",
    "-1",
    "0",
    "99999999999999999999",
    "x" * 3000,
    "\udcff",
    "../..",
    "[[",
    "{a: b}",
    "\n",
    "'",
]
OPTIONS = {
    "study": ["--model", "--corpus", "--target", "-k", "--limit", "--device", "--dtype", "--measure", "--kind"],
    "experts": ["--model", "--corpus", "--language", "--limit", "--pooling", "--hold", "--response-type", "-k"],
    "embed": ["--model", "--layer", "--pooling", "--device", "--dtype", "--intervention"],
    "generate": ["--model", "-n", "--max-new-tokens", "--seed", "--identifier", "--intervention"],
    "perplexity": ["--model", "--stride", "--max-length", "--intervention"],
    "align": ["--layer", "--method", "--max-layers", "--limit", "--folds", "--language", "--corpus", "--seed"],
    "compare": ["--layer", "--method", "--scoring", "--kind", "-k", "--strength", "--target", "--draws", "--folds"],
    "intervene": ["--target", "-k", "--kind", "--option", "--strength", "--layer", "--module", "--control", "--seed"],
    "bake": ["--model", "--intervention", "--dtype"],
    "report": [],
}


@pytest.fixture(scope="module")
def inputs(checkpoint, corpus_folder, tmp_path_factory):
    """Return right arguments for every command, to which one bad option is added."""
    place = tmp_path_factory.mktemp("inputs")
    (place / "lines.txt").write_text("el gato\nun perro\n")
    model = il.load_model(checkpoint)
    experts = il.find_experts(model, il.open_corpus(corpus_folder).parallel())
    experts.save_pretrained(place / "experts")
    il.set_to_mean(experts, "es", 5).save_pretrained(place / "edit")
    use = ["--model", str(checkpoint)]
    small = [
        "--corpus",
        str(corpus_folder),
        "--folds",
        "2",
        "--method",
        "centring",
        "--no-interventions",
        "--layer",
        "1",
    ]
    return {
        "study": [*use, "--corpus", str(corpus_folder), "-k", "5", "--measure", "retrieval", "--dry-run"],
        "experts": [*use, "--corpus", str(corpus_folder)],
        "embed": [str(place / "lines.txt"), *use],
        "generate": [*use, "-n", "1", "--max-new-tokens", "2"],
        "perplexity": [str(place / "lines.txt"), *use],
        "align": [*use, *small],
        "compare": [*use, *small],
        "intervene": ["--experts", str(place / "experts"), "--target", "es", "-k", "5"],
        "bake": [*use, "--intervention", str(place / "edit")],
        "report": [],
    }, place


def run(monkeypatch, capsys, command, *arguments):
    from interlingua import cli

    monkeypatch.setattr(sys, "argv", ["interlingua", command, *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
        raise SystemExit(0)
    return exit_.value.code or 0, capsys.readouterr().err


@pytest.mark.parametrize("command", OPTIONS)
def test_bad_values_of_any_option_are_a_line_and_leave_nothing(inputs, command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    right, _ = inputs
    out = {"embed": "e.npy", "perplexity": None, "generate": "g.jsonl", "report": None}.get(command, "made")
    for option in OPTIONS[command]:
        for text in BAD_TEXTS:
            if (option, text) in (("-n", LARGE), ("--draws", LARGE)):  # that is asked for, and would be done
                continue
            arguments = [*right[command], *(["--out", out] if out else []), option, text]
            code, printed = run(monkeypatch, capsys, command, *arguments)
            assert code in (0, 1, 2), (option, text)
            assert "Traceback" not in printed, (option, text, printed)
            if code:
                assert not [path for path in tmp_path.iterdir() if not path.name.endswith(".recording")], (option, text)
            for path in tmp_path.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize("out", [".", "/", "..", "there.txt"])
@pytest.mark.parametrize("command", ["experts", "align", "intervene", "bake"])
def test_a_folder_that_cannot_be_written_is_a_line(inputs, command, out, tmp_path, monkeypatch, capsys):
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    (inside / "there.txt").write_text("mine")
    code, printed = run(monkeypatch, capsys, command, *inputs[0][command], "--out", out)
    assert code == 2
    assert printed.count("\n") <= 3
    assert "error: '" in printed
    assert (inside / "there.txt").read_text() == "mine"


def test_embeddings_are_not_written_beside_a_folder(inputs, tmp_path, monkeypatch, capsys):
    (tmp_path / "folder").mkdir()
    code, printed = run(monkeypatch, capsys, "embed", *inputs[0]["embed"], "--out", str(tmp_path / "folder"))
    assert code == 2
    assert "is a folder; name a file in it" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_artefacts_with_right_checksums_and_wrong_contents_are_refused(inputs, tmp_path):
    from safetensors.numpy import load_file, save_file

    from interlingua.files import sha256_of_file

    def changed(name, change, describe=lambda description: None):
        folder = tmp_path / "changed"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(inputs[1] / name, folder)
        (arrays,) = folder.glob("*.safetensors")
        contents = load_file(arrays)
        change(contents)
        save_file(contents, arrays)
        manifest = json.loads((folder / "manifest.json").read_text())
        describe(manifest)
        (folder / "manifest.json").write_text(json.dumps({**manifest, "sha256": sha256_of_file(arrays)}))
        return folder

    def first(contents, ending, change):
        key = next(key for key in contents if key.endswith(ending))
        contents[key] = change(contents[key].copy())

    def with_first(array, value):
        array.flat[0] = value
        return array

    unchanged = changed("edit", lambda contents: None)
    assert il.Intervention.from_pretrained(unchanged).kind == "set-to-mean"
    for ending, change in {
        "shift": lambda array: with_first(array, np.nan),
        "scale": lambda array: with_first(array, np.inf),
        "units": lambda array: with_first(array, -1),
    }.items():
        folder = changed("edit", lambda contents, ending=ending, change=change: first(contents, ending, change))
        with pytest.raises(InterlinguaError, match="is damaged"):
            il.Intervention.from_pretrained(folder)
    for change in (
        lambda contents: first(contents, "units", lambda array: np.concatenate([array, array[-1:]])),
        lambda contents: first(contents, "units", lambda array: array.astype(np.float32)),
        lambda contents: contents.pop(next(iter(contents))),
    ):
        with pytest.raises(InterlinguaError, match="is damaged"):
            il.Intervention.from_pretrained(changed("edit", change))
    for name, value in (("auroc", np.nan), ("auroc", 1.5), ("mean", np.inf), ("average_precision", -0.1)):
        folder = changed("experts", lambda c, name=name, value=value: c.update({name: with_first(c[name], value)}))
        with pytest.raises(InterlinguaError, match=f"'{name}' has numbers"):
            il.Experts.from_pretrained(folder)
    for describe in (
        lambda manifest: manifest["languages"].pop(),
        lambda manifest: manifest.pop("linears"),
        lambda manifest: manifest.update(ranked_by="luck"),
        lambda manifest: manifest.update(languages="es"),
        lambda manifest: manifest.update(made_from=None),
    ):
        with pytest.raises(InterlinguaError, match="is damaged"):
            il.Experts.from_pretrained(changed("experts", lambda contents: None, describe))


@pytest.mark.parametrize("wrong", [None, 7, float("nan"), b"bytes", "a \ud83d", ["list"]])
def test_sentences_that_are_not_text_are_named(llama, wrong):
    with pytest.raises(InterlinguaError, match=r"sentence 2 (is not text|has U\+D83D)"):
        il.embed(llama, ["el gato", wrong])


def test_a_full_disk_ends_a_study_at_once_and_says_what_was_being_written(
    checkpoint, corpus_folder, tmp_path, monkeypatch
):
    import errno

    config = StudyConfig(model=str(checkpoint), corpus=str(corpus_folder), k=[5], measures=["retrieval", "geometry"])
    written = []

    def full(tensors, path, *rest):
        written.append(path)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("interlingua.study.cell_store.save_file", full)
    with pytest.raises(InterlinguaError, match=r"cannot write '.*embeddings.*': No space left on device; make room"):
        il.run_study(config, tmp_path / "run")
    assert len(written) == 1
    states = [state for state, _ in CellStore(tmp_path / "run").states()]
    assert "failed" not in states
    monkeypatch.undo()
    assert len(il.run_study(config, tmp_path / "run").tables["retrieval"])


def test_a_model_of_nan_weights_writes_no_texts():
    from conftest import make_model

    model = make_model("gpt2")
    next(iter(model.hf.parameters())).data.fill_(float("nan"))
    with pytest.raises(InterlinguaError, match="logits are NaN"):
        il.generate(model, 2, max_new_tokens=3)


def test_more_tokens_than_positions_are_refused_before_the_model_runs(llama):
    with pytest.raises(InterlinguaError, match=rf"more than the {llama.positions} positions"):
        il.generate(llama, 1, max_new_tokens=llama.positions)
    assert len(il.generate(llama, 1, max_new_tokens=llama.positions - 1)) == 1


def test_what_is_known_when_a_study_is_planned_is_checked_then(checkpoint, corpus_folder, tmp_path):
    use = {"model": str(checkpoint), "corpus": str(corpus_folder), "k": [5]}
    from interlingua.study import load_config

    for wrong, message in (
        ({"layer": 99}, "has no layer 99"),
        ({"limit": 1}, "at least two sentences"),
        ({"device": "meta"}, "holds no numbers"),
        ({"perplexity": {"stride": 999, "window": 10}}, "leaves tokens between windows"),
        ({"kinds": [{"kind": "dampen", "alpha": "abc"}]}, "cannot take alpha=abc"),
        ({"kinds": [{"kind": "dampen", "alpha": float("nan")}]}, "cannot take alpha=nan"),
        ({"generation": {"max_new_tokens": 10**6}, "measures": ["generation"]}, "needs more than the"),
    ):
        with pytest.raises(InterlinguaError, match=message) as raised:
            il.run_study(load_config(**{**use, **wrong}), tmp_path / "run")
        assert raised.value.exit_code == 2
        assert not (tmp_path / "run").exists()


def test_a_yaml_of_any_shape_is_a_line(tmp_path):
    from interlingua.study import load_config

    for number, text in enumerate(
        [
            "[" * 50_000,
            "1: 2",
            "k: " + "9" * 5000,
            "- a",
            "&a [*a]",
            "model: \x00",
            "? [a]\n: b",
            "k: !!python/object:os.system {}",
        ]
    ):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text)
        with pytest.raises(InterlinguaError) as raised:
            load_config(path)
        assert "\n" not in str(raised.value)


CONFIGS = {
    "sizes as text": {"hidden_size": "many"},
    "no heads": {"num_attention_heads": 0},
    "an unknown type": {"dtype": "float7"},
    "a negative depth": {"num_hidden_layers": -1},
    "no family": {"model_type": None},
    "another shape": {"intermediate_size": 7},
}


@pytest.mark.parametrize("kind", [*CONFIGS, "tokenizer", "tokenizer config", "index", "pickle", "weights"])
def test_a_broken_model_folder_is_a_line(checkpoint, tmp_path, kind):
    folder = tmp_path / "model"
    shutil.copytree(checkpoint, folder)
    config = json.loads((folder / "config.json").read_text())
    if kind in CONFIGS:
        (folder / "config.json").write_text(json.dumps({**config, **CONFIGS[kind]}))
    elif kind == "tokenizer":
        (folder / "tokenizer.json").write_text("[" * 2000)
    elif kind == "tokenizer config":
        (folder / "tokenizer_config.json").write_text('{"tokenizer_class": 7, "model_max_length": "far"}')
    elif kind == "weights":
        (folder / "model.safetensors").write_bytes(b"\x08" * 100)
    else:
        (folder / "model.safetensors").unlink()
        if kind == "index":
            index = {"metadata": {}, "weight_map": {"model.embed_tokens.weight": "../../outside.safetensors"}}
            (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        else:
            (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'echo ran'\ntR.")
    try:
        loaded = il.load_model(folder)
    except InterlinguaError as error:
        assert "\n" not in str(error)
        assert error.exit_code == 2
    else:
        assert kind in ("an unknown type", "tokenizer config"), "what transformers mends by itself"
        assert np.isfinite(il.embed(loaded, ["el gato"])).all()


def test_the_root_of_the_disk_is_no_model_and_is_not_walked(monkeypatch, tmp_path, corpus_folder):
    monkeypatch.setattr("interlingua.study.model._files", None)
    with pytest.raises(InterlinguaError, match="cannot load model '/'"):
        il.run_study(StudyConfig(model="/", corpus=str(corpus_folder), k=[5]), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_generation_config_that_transformers_refuses_is_said_when_a_model_is_saved(tmp_path):
    from conftest import make_model

    model = make_model("gpt2")
    model.hf.generation_config.temperature = 0.5  # of sampling, which it does not do
    with pytest.raises(InterlinguaError, match="generation config cannot be saved"):
        model.save_pretrained(tmp_path / "model")
    assert not (tmp_path / "model").exists()
