import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, BloomConfig, CohereConfig, Gemma3TextConfig, GPT2Config

from interlingua.errors import ModelError
from interlingua.models import find_neurons


def count(config):
    with torch.device("meta"):
        return len(find_neurons(AutoModelForCausalLM.from_config(config)))


def test_neurons_of_the_papers_models_and_the_default():
    gemma = {"num_hidden_layers": 18, "hidden_size": 640, "intermediate_size": 2048, "num_attention_heads": 4}
    assert count(BloomConfig(n_layer=30, hidden_size=4096, n_head=32, vocab_size=9)) == 614_400
    assert (
        count(CohereConfig(num_hidden_layers=32, hidden_size=4096, intermediate_size=14336, vocab_size=9)) == 1_048_576
    )
    assert count(GPT2Config(n_layer=40, n_embd=5120, n_inner=20480, n_head=40, vocab_size=9)) == 1_024_000
    assert count(Gemma3TextConfig(**gemma, vocab_size=9)) == 85_248


def test_neurons_are_numbered_by_layer_then_module_then_unit(llama):
    linears = llama.neurons.linears
    assert [(x.layer, x.kind, x.units) for x in linears[:4]] == [
        (0, "gate_proj", 64), (0, "up_proj", 64), (0, "down_proj", 32), (1, "gate_proj", 64),
    ]  # fmt: skip
    assert len(llama.neurons) == 320
    table = llama.neurons.locate([0, 64, 159, 160, 319])
    assert table.layer.tolist() == [0, 0, 0, 1, 1]
    assert table.module.tolist() == ["gate_proj", "up_proj", "down_proj", "gate_proj", "down_proj"]
    assert table.unit.tolist() == [0, 0, 31, 0, 31]


def test_by_linear_finds_every_neuron_again(any_model):
    neurons = any_model.neurons
    ids = np.random.default_rng(0).permutation(len(neurons))[:50]
    names = [linear.name for linear in neurons.linears]
    for linear, units, positions in neurons.by_linear(ids):
        assert (neurons.offsets[names.index(linear.name)] + units == ids[positions]).all()
        assert (units < linear.units).all()


def test_other_towers_have_no_neurons_of_the_language_model(llama):
    outer = torch.nn.Module()
    outer.vision_tower = torch.nn.ModuleDict({"mlp": torch.nn.ModuleDict({"gate_proj": torch.nn.Linear(2, 2)})})
    outer.language_model = llama.hf
    assert len(find_neurons(outer)) == 320


def test_a_model_without_known_linears_is_an_error_that_lists_what_it_has():
    with pytest.raises(ModelError, match=r"no MLP neurons found in Sequential.*N\b"):
        find_neurons(torch.nn.Sequential(torch.nn.Linear(2, 2)))
