"""Bad values of every option, bad configs and bad artefacts: each is named in a line, and nothing else happens."""

import json
import shutil
import sys

import numpy as np
import pytest

import interlingua as il
from interlingua.errors import InterlinguaError

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
    "align": [
        "--layer",
        "--method",
        "--max-blocks",
        "--dimensions",
        "--limit",
        "--folds",
        "--language",
        "--corpus",
        "--seed",
    ],
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


def test_what_is_known_when_a_study_is_planned_is_checked_then(checkpoint, corpus_folder, tmp_path):
    use = {"model": str(checkpoint), "corpus": str(corpus_folder), "k": [5]}
    from interlingua.study import load_config

    for wrong, message in (
        ({"layer": 99}, "has no layer 99"),
        ({"limit": 1}, "at least two sentences"),
        ({"device": "meta"}, "holds no numbers"),
        ({"perplexity": {"stride": 999, "window": 10}}, "leaves tokens between windows"),
        ({"kinds": [{"kind": "dampen", "factor": "abc"}]}, "cannot take factor=abc"),
        ({"kinds": [{"kind": "dampen", "factor": float("nan")}]}, "cannot take factor=nan"),
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
