"""A second run of a study: what it knows of the model without loading it, and when it does not trust that."""

import json
import os
import shutil
import subprocess
import sys

import pytest

import interlingua as il
from conftest import listening, make_model
from interlingua.report import write_report
from interlingua.study import StudyConfig, estimate_study
from interlingua.study.model import Checkpoint

WITHOUT_TORCH = (
    "import sys\n"
    "from interlingua import cli\n"
    "sys.argv = ['interlingua', 'study', *sys.argv[1:]]\n"
    "try:\n"
    "    cli.main()\n"
    "finally:\n"
    "    heavy = {'torch', 'transformers', 'matplotlib', 'numba'} & set(sys.modules)\n"
    "    print('imported:', *sorted(heavy))\n"
)


@pytest.fixture(scope="module")
def finished(checkpoint, corpus_folder, tmp_path_factory):
    """Return the config and the folder of a study that the command line ran, with its report."""
    root = tmp_path_factory.mktemp("runs")
    model = shutil.copytree(checkpoint, root / "model")
    config = StudyConfig(
        model=str(model), corpus=str(corpus_folder), k=[5], dtype="float32", measures=["retrieval", "geometry"]
    )
    run = il.run_study(config, root / "run")
    write_report(run)
    return config, run.folder


@pytest.fixture
def loads(monkeypatch):
    """Count the loadings of a model."""
    import interlingua.models as models

    loaded = []
    real = models.load_model
    monkeypatch.setattr(models, "load_model", lambda *a, **k: loaded.append(a) or real(*a, **k), raising=False)
    return loaded


@pytest.mark.parametrize("options", [[], ["--dry-run"], ["--status"], ["--print-config"]])
def test_what_computes_nothing_imports_no_torch(finished, options):
    hub = "import sys; from huggingface_hub import ModelHubMixin; print('torch' in sys.modules)"
    if subprocess.run([sys.executable, "-c", hub], capture_output=True, text=True, check=True).stdout == "True\n":
        pytest.skip("this huggingface_hub imports torch for its mixin, as 1.3 does")
    _, folder = finished
    given = ["--status", folder] if options == ["--status"] else [folder / "study.yaml", "--out", folder, *options]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *map(str, given)],
        capture_output=True, text=True, check=False, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "imported:"
    expected = {"": "Nothing to do: all 16 cells are done", "--dry-run": "Nothing to do: all 16 cells are done",
                "--status": "16 cells: 16 done", "--print-config": "# A study of interlingua"}  # fmt: skip
    assert expected["".join(options)] in done.stdout


def test_a_finished_study_loads_no_model_again(finished, loads, tmp_path):
    config, folder = finished
    shutil.copytree(folder, tmp_path / "run")
    il.run_study(config, tmp_path / "run")
    assert estimate_study(config, tmp_path / "run").to_do == []
    assert loads == []
    il.run_study(config.model_copy(update={"k": (6,)}), tmp_path / "run")
    assert len(loads) == 1


def test_what_is_remembered_is_what_the_model_says_itself(finished, checkpoint):
    config, folder = finished
    model = il.load_model(config.model, dtype="float32")
    known = Checkpoint.of(config, None).recall(folder)
    assert dict(known.identity) == {**model.identity(), "compile": "auto"}
    assert known.sites["outputs"] == len(model.neurons)


@pytest.mark.parametrize("change", [{"dtype": "bfloat16"}, {"device": "cpu"}, {"neurons": ("inner",)}])
def test_a_model_that_is_loaded_as_something_else_is_not_remembered(finished, change):
    config, folder = finished
    assert Checkpoint.of(config.model_copy(update=change), None).recall(folder) is None


def test_another_cluster_other_gpus_and_code_of_the_model_are_not_remembered(finished, monkeypatch):
    config, folder = finished
    assert Checkpoint.of(config, None).recall(folder) is not None
    assert Checkpoint.of(config, "10.0.0.1:6379").recall(folder) is None
    assert Checkpoint.of(config.model_copy(update={"trust_remote_code": True}), None).recall(folder) is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    assert Checkpoint.of(config, None).recall(folder) is None


def test_a_damaged_memory_is_no_memory(finished, tmp_path, loads):
    config, folder = finished
    shutil.copytree(folder, tmp_path / "run")
    for content in ("{", "[]", json.dumps({"mark": None, "identity": {}, "neurons": 1})):
        (tmp_path / "run" / "model.json").write_text(content)
        assert Checkpoint.of(config, None).recall(tmp_path / "run") is None
        with listening() as said:
            il.run_study(config, tmp_path / "run")
        assert said[-1] == "Nothing to do: all 16 cells are done"
        il.run_study(config, tmp_path / "run")
    assert len(loads) == 3, "it is remembered again"


def test_a_model_that_changed_in_place_is_noticed_even_if_size_and_time_did_not(finished, tmp_path):
    config, folder = finished
    shutil.copytree(folder, tmp_path / "run")
    model = shutil.copytree(config.model, tmp_path / "model")
    moved = config.model_copy(update={"model": str(model)})
    first = il.run_study(moved, tmp_path / "run").tables["geometry"]
    weights = next(model.glob("*.safetensors"))
    before = weights.stat()
    make_model("llama", seed=1).save_pretrained(tmp_path / "other")
    weights.write_bytes((tmp_path / "other" / weights.name).read_bytes())
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert weights.stat().st_size == before.st_size
    second = il.run_study(moved, tmp_path / "run").tables["geometry"]
    assert not first.value.equals(second.value)


def test_a_commit_of_the_hub_in_the_cache_is_known_by_its_files(finished, monkeypatch, tmp_path):
    config, _ = finished
    snapshot = tmp_path / "hub" / "models--a--m" / "snapshots" / ("0" * 40)
    shutil.copytree(config.model, snapshot)
    (tmp_path / "hub" / "models--a--m" / "refs").mkdir()
    (tmp_path / "hub" / "models--a--m" / "refs" / "main").write_text("0" * 40)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    named = config.model_copy(update={"model": "a/m"})
    mark = Checkpoint.of(named, None).mark
    assert mark is not None
    assert Checkpoint.of(named.model_copy(update={"revision": "0" * 40}), None).mark not in (None, mark)
    (snapshot / "config.json").write_text("{}")
    assert Checkpoint.of(named, None).mark != mark
    assert Checkpoint.of(config.model_copy(update={"model": "a/absent"}), None).mark is None
    assert Checkpoint.of(config.model_copy(update={"model": "no name/of/a model"}), None).mark is None
