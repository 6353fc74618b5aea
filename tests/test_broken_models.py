"""Models that are damaged, broken or asked for too much: each is named in a line."""

import json
import shutil

import numpy as np
import pytest

import interlingua as il
from conftest import make_model
from interlingua.errors import InterlinguaError
from interlingua.study import StudyConfig


@pytest.mark.parametrize("wrong", [None, 7, float("nan"), b"bytes", "a \ud83d", ["list"]])
def test_sentences_that_are_not_text_are_named(llama, wrong):
    with pytest.raises(InterlinguaError, match=r"sentence 2 (is not text|has U\+D83D)"):
        il.embed(llama, ["el gato", wrong])


def test_a_model_of_nan_weights_writes_no_texts():
    model = make_model("gpt2")
    next(iter(model.hf.parameters())).data.fill_(float("nan"))
    with pytest.raises(InterlinguaError, match="logits are NaN"):
        il.generate(model, 2, max_new_tokens=3)


def test_more_tokens_than_positions_are_refused_before_the_model_runs(llama):
    with pytest.raises(InterlinguaError, match=rf"more than the {llama.positions} positions"):
        il.generate(llama, 1, max_new_tokens=llama.positions)
    assert len(il.generate(llama, 1, max_new_tokens=llama.positions - 1)) == 1


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
    model = make_model("gpt2")
    model.hf.generation_config.temperature = 0.5  # of sampling, which it does not do
    with pytest.raises(InterlinguaError, match="generation config cannot be saved"):
        model.save_pretrained(tmp_path / "model")
    assert not (tmp_path / "model").exists()
