"""Every family of models: its neurons are found, and hooks, weights and saved checkpoints steer it alike."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers
from transformers import AutoModelForCausalLM

import interlingua as il
from conftest import CONFIGS, SENTENCES, make_model, make_tokenizer
from interlingua.experts import record_responses
from interlingua.models import find_neurons
from test_interventions import logits, some_edit

TEXTS = [sentence for sentences in SENTENCES.values() for sentence in sentences]
LOADS_WITHOUT_CODE = {"bloom", "falcon", "gpt2", "gpt_neox", "gptj", "llama", "mistral", "opt", "phi", "qwen2", "xglm"}


@pytest.fixture(params=CONFIGS, scope="module")
def family(request):
    return request.param


@pytest.fixture(scope="module")
def model(family):
    return make_model(family)


def test_every_layer_has_neurons_and_an_output(model):
    for layer in (0, 1):
        linears = [linear for linear in model.neurons.linears if linear.layer == layer]
        assert [linear.output for linear in linears] == [False] * (len(linears) - 1) + [True]
        assert linears[-1].units == model.hidden_size


def test_inner_neurons_are_those_before_the_output(model):
    inner = find_neurons(model.hf, neurons="inner")
    assert inner.linears == tuple(linear for linear in model.neurons.linears if not linear.output)


def test_hidden_units_are_what_the_last_layer_of_a_block_is_given(model):
    hidden = model.at("hidden")
    assert [(linear.layer, linear.kind) for linear in hidden.neurons.linears] == [(0, "hidden"), (1, "hidden")]
    width = hidden.neurons.linears[0].units
    assert width in (64, 128)
    given: dict[int, torch.Tensor] = {}
    for linear in hidden.neurons.linears:
        module = model.hf.get_submodule(linear.name)
        handle = module.register_forward_pre_hook(
            lambda module, inputs, layer=linear.layer: given.__setitem__(layer, inputs[0].detach().clone())
        )
        with torch.no_grad():
            model.hf(**model.tokenizer("un perro", return_tensors="pt"))
        handle.remove()
    mean = np.concatenate([given[layer].reshape(-1, width)[1:].mean(dim=0).numpy() for layer in (0, 1)])
    recorded = record_responses(hidden, ["un perro"]).values
    np.testing.assert_allclose(recorded[0], mean, atol=1e-5)
    both = replace(model, neurons=model.neurons.joined(hidden.neurons))
    np.testing.assert_array_equal(
        record_responses(both, ["un perro"]).values,
        np.concatenate([record_responses(model, ["un perro"]).values, recorded], axis=1),
    )


def test_a_hidden_unit_holds_its_value(model):
    hidden = model.at("hidden")
    edit = il.Intervention.of_neurons(hidden.neurons, np.array([3, 70]), scale=0.0, shift=np.array([0.75, -2.0]))
    with edit.applied_to(model, "hooks"):
        values = record_responses(hidden, TEXTS).values
    np.testing.assert_allclose(values[:, [3, 70]], [[0.75, -2.0]] * len(TEXTS), rtol=1e-6)


def test_padding_and_batch_size_change_nothing_beyond_rounding(model):
    together = record_responses(model, TEXTS, token_budget=10_000).values
    alone = np.concatenate([record_responses(model, [text]).values for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=5e-5)
    alone = np.concatenate([il.embed(model, [text]) for text in TEXTS])
    np.testing.assert_allclose(il.embed(model, TEXTS, token_budget=10_000), alone, atol=5e-5)


@pytest.mark.parametrize("site", ["outputs", "hidden"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
def test_hooks_weights_and_reloaded_checkpoint_agree(family, dtype, site, tmp_path):
    model = make_model(family, dtype).at(site)
    edit = some_edit(model, "mixed", shift=True)
    greedy = {"max_new_tokens": 6, "do_sample": False}
    tokens = model.tokenizer("un perro", return_tensors="pt")
    before = logits(model)
    with edit.applied_to(model, "hooks"):
        hooked = logits(model)
        written = model.hf.generate(**tokens, **greedy)
    # In bfloat16, scaling the weights and scaling the output round differently: a few percent of the edit's effect.
    effect = float((hooked - before).abs().max())
    allowed = 1e-5 * max(1.0, float(hooked.abs().max())) if dtype == torch.float32 else 0.05 * effect
    assert effect > 100 * allowed or dtype == torch.bfloat16
    with edit.applied_to(model, "weights"):
        assert float((logits(model) - hooked).abs().max()) < allowed
        if dtype == torch.float32:
            assert torch.equal(model.hf.generate(**tokens, **greedy), written)
    assert torch.equal(logits(model), before)

    il.bake(model, edit).save_pretrained(tmp_path / "ckpt")
    plain = family in LOADS_WITHOUT_CODE
    reloaded = AutoModelForCausalLM.from_pretrained(tmp_path / "ckpt", dtype=dtype, trust_remote_code=not plain)
    with torch.no_grad():
        again = reloaded(**model.tokenizer("un perro y el gato", return_tensors="pt")).logits
        assert float((again - hooked).abs().max()) < allowed
        if dtype == torch.float32:
            assert torch.equal(reloaded.generate(**tokens, **greedy), written)


def test_the_steered_unit_holds_its_value_while_generating_with_a_cache(model):
    linear = model.neurons.linears[0]
    edit = il.Intervention.of_neurons(model.neurons, np.array([3]), scale=0.0, shift=0.75)
    seen = []
    tokens = model.tokenizer("el gato", return_tensors="pt")
    with edit.applied_to(model):
        handle = model.hf.get_submodule(linear.name).register_forward_hook(
            lambda module, inputs, output: seen.append(output.reshape(-1, output.shape[-1])[:, 3].clone())
        )
        model.hf.generate(**tokens, max_new_tokens=5, do_sample=False, use_cache=True)
        handle.remove()
    assert len(seen) > 1, "one pass for the prompt, one for each further token"
    assert all((values == 0.75).all() for values in seen)


def test_a_language_model_nested_in_a_multimodal_one():
    text = {"vocab_size": 259, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 8}  # fmt: skip
    vision = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2,
              "image_size": 28, "patch_size": 14}  # fmt: skip
    torch.manual_seed(0)
    config = transformers.Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=4)
    model = il.load_model((AutoModelForCausalLM.from_config(config).eval(), make_tokenizer()))
    assert len(model.neurons) == 2 * (64 + 64 + 32)
    assert all("language_model" in linear.name for linear in model.neurons.linears)
    experts = il.find_experts(model, il.ParallelCorpus("tiny", "dev", SENTENCES))
    before = il.embed(model, TEXTS)
    with il.set_to_mean(experts, "es", 30).applied_to(model):
        assert not np.allclose(il.embed(model, TEXTS), before)


def test_each_half_of_a_fused_layer_is_edited_in_its_place():
    model = make_model("phi3")
    edit = il.Intervention.of_neurons(model.neurons, np.array([5, 64 + 5]), scale=0.0, shift=np.array([1.0, 2.0]))
    assert list(edit.edits) == ["model.layers.0.mlp.gate_up_proj"]
    assert edit.edits["model.layers.0.mlp.gate_up_proj"].units.tolist() == [5, 69]
    assert edit.by_neuron(model.neurons)[0].tolist() == [5, 69]


def test_modules_named_by_the_user():
    model = make_model("llama")
    neurons = find_neurons(model.hf, ["self_attn.q_proj", "self_attn.o_proj"])
    assert [linear.kind for linear in neurons.linears] == ["q_proj", "o_proj"] * 2
    with pytest.raises(il.InterlinguaError, match=r"none of its linear layers is named ffn\.w1"):
        find_neurons(model.hf, ["ffn.w1"])


def test_a_loaded_model_is_taken_as_it_is():
    made = make_model("llama")
    model = il.load_model((made.hf, made.tokenizer))
    assert model.hf is made.hf
    assert model.neurons == made.neurons


def test_a_quantised_model_is_steered_by_hooks_and_cannot_be_baked(checkpoint):
    pytest.importorskip("bitsandbytes", reason="quantisation needs the extra `quantized`")
    model = il.load_model(checkpoint, device="cpu", dtype="float32", quantization="8bit")
    assert type(model.hf.get_submodule("model.layers.0.mlp.up_proj")).__name__ == "Linear8bitLt"
    assert len(model.neurons) == 320
    edit = some_edit(model, "mixed", shift=True)
    before = logits(model)
    with edit.applied_to(model):
        assert not torch.equal(logits(model), before)
    assert torch.equal(logits(model), before)
    for impossible in (lambda: il.bake(model, edit), lambda: edit.applied_to(model, "weights").__enter__()):
        with pytest.raises(il.InterlinguaError, match="is quantised, offloaded"):
            impossible()


def test_a_device_map_is_handed_to_transformers(checkpoint, llama):
    model = il.load_model(checkpoint, dtype="float32", device_map={"": "cpu"})
    assert torch.equal(logits(model), logits(llama))


def test_an_offloaded_model_is_steered_by_hooks(llama):
    """Weights that are away while their layer does not run, as accelerate keeps a model larger than its device."""
    accelerate = pytest.importorskip("accelerate")
    hf = accelerate.cpu_offload(make_model("llama").hf, execution_device=torch.device("cpu"))
    model = il.load_model((hf, make_tokenizer()))
    assert model.device.type == "cpu"
    edit = some_edit(model, "mixed", shift=True)
    with edit.applied_to(model), edit.applied_to(llama, "hooks"):
        torch.testing.assert_close(logits(model), logits(llama))
    with pytest.raises(il.InterlinguaError, match="is quantised, offloaded"):
        il.bake(model, edit)
    assert np.isfinite(il.embed(model, TEXTS)).all()
