"""Layers that look plain and are not: LoRA by PEFT, parametrisations, a forward that was replaced."""

import numpy as np
import pytest
import torch
from torch.nn.utils import prune

import interlingua as il
from conftest import listening, make_model
from interlingua.errors import ModelError
from interlingua.interventions.weights import can_be_baked
from interlingua.models.identity import weights_hash

MLP = {
    "llama": ["gate_proj", "up_proj", "down_proj"],
    "gpt2": ["mlp.c_fc", "mlp.c_proj"],
    "bloom": ["dense_h_to_4h", "dense_4h_to_h"],
    "opt": ["fc1", "fc2"],
}
TEXTS = ["el gato duerme en la cocina", "a dog barks", "猫が眠る"]


def with_lora(family):
    peft = pytest.importorskip("peft", reason="peft is not installed")
    model = make_model(family)
    config = peft.LoraConfig(target_modules=MLP[family], r=4, init_lora_weights=False, fan_in_fan_out=family == "gpt2")
    return model, peft.get_peft_model(model.hf, config)


@pytest.fixture(params=MLP)
def lora(request, corpus):
    model, wrapped = with_lora(request.param)
    loaded = il.load_model((wrapped, model.tokenizer))
    return loaded, wrapped, il.find_experts(loaded, corpus)


def outputs_by_hand(model, edit, texts):
    """Return the outputs of all edited layers, edited by plain arithmetic on what the layer gives."""
    handles = []
    for name, affine in edit.edits.items():

        def hook(module, inputs, output, affine=affine):
            output = output.clone()
            units = torch.from_numpy(affine.units)
            output[..., units] = output[..., units] * torch.from_numpy(affine.scale) + torch.from_numpy(affine.shift)
            return output

        handles.append(model.hf.get_submodule(name).register_forward_hook(hook))
    try:
        return il.embed(model, texts)
    finally:
        for handle in handles:
            handle.remove()


def test_a_model_with_lora_is_steered_exactly_and_left_as_it_was(lora):
    model, wrapped, experts = lora
    edit = il.set_to_mean(experts, "es", 40)
    before, hashed = il.embed(model, TEXTS), weights_hash(model.hf)
    logits = wrapped(**model.tokenizer(TEXTS[0], return_tensors="pt")).logits
    with edit.applied_to(model):
        inside = il.embed(model, TEXTS)
    np.testing.assert_allclose(inside, outputs_by_hand(model, edit, TEXTS), atol=1e-5)
    assert np.abs(inside - before).max() > 1e-3
    assert weights_hash(model.hf) == hashed
    np.testing.assert_array_equal(il.embed(model, TEXTS), before)
    assert torch.equal(wrapped(**model.tokenizer(TEXTS[0], return_tensors="pt")).logits, logits)


def test_a_model_with_lora_has_the_neurons_of_its_base_is_told_from_it_and_is_not_baked(lora, tmp_path):
    model, wrapped, experts = lora
    adapted = model.identity()["weights"]
    assert {module for module in model.neurons.modules if "base_layer" in module} == set()
    with wrapped.disable_adapter():
        assert model.identity()["weights"] != adapted
    assert model.identity()["weights"] == adapted
    with pytest.raises(ModelError, match="wrapped, so that nothing can be baked"):
        il.bake(model, il.set_to_mean(experts, "es", 40))
    with pytest.raises(ModelError, match="merge an adapter first"):
        model.save_pretrained(tmp_path / "model")
    assert not list(tmp_path.iterdir())
    merged = il.load_model((wrapped.merge_and_unload(), model.tokenizer))
    il.bake(merged, il.set_to_mean(il.find_experts(merged, il.open_corpus("starter").parallel(limit=4)), "es", 40))


def test_a_folder_with_an_adapter_is_the_model_with_it_also_merged_and_at_hidden_units(checkpoint, corpus, tmp_path):
    peft = pytest.importorskip("peft", reason="peft is not installed")
    base = il.load_model(checkpoint, dtype="float32")
    config = peft.LoraConfig(target_modules=MLP["llama"], r=4, init_lora_weights=False, task_type="CAUSAL_LM")
    peft.get_peft_model(base.hf, config).save_pretrained(tmp_path)
    adapted = il.load_model(tmp_path, dtype="float32", neurons="hidden")
    assert adapted.identity()["weights"] == base.identity()["weights"], "the base has it since get_peft_model"
    edit = il.set_to_mean(il.find_experts(adapted, corpus), "es", 40)
    with edit.applied_to(adapted):
        inside = il.embed(adapted, TEXTS)
    for module in adapted.hf.modules():
        if isinstance(module, peft.tuners.lora.Linear):
            module.merge()
    with edit.applied_to(adapted):
        np.testing.assert_allclose(il.embed(adapted, TEXTS), inside, atol=1e-5)
    assert np.abs(il.embed(adapted, TEXTS) - inside).max() > 1e-3


def test_a_learned_prompt_is_refused():
    peft = pytest.importorskip("peft", reason="peft is not installed")
    model = make_model("llama")
    wrapped = peft.get_peft_model(model.hf, peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2))
    with pytest.raises(ModelError, match="learned prompt"):
        il.load_model((wrapped, model.tokenizer))


class Linear(torch.nn.Linear):
    def forward(self, x):
        return super().forward(x) + 1


def test_only_the_very_plain_classes_are_edited_in_their_weights():
    assert can_be_baked(torch.nn.Linear(2, 3))
    assert not can_be_baked(Linear(2, 3)), "a class of the same name"
    replaced = torch.nn.Linear(2, 3)
    replaced.forward = lambda x: x
    assert not can_be_baked(replaced)
    normed = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 3))
    assert not can_be_baked(normed)
    pruned = torch.nn.Linear(2, 3)
    prune.random_unstructured(pruned, "weight", amount=0.5)
    assert not can_be_baked(pruned)


def test_a_value_too_large_for_half_precision_is_an_error_and_nothing_is_changed(corpus):
    half = make_model("llama", torch.float16)
    edit = il.Intervention.of_neurons(
        half.neurons, np.array([3, 400 % len(half.neurons)]), scale=np.zeros(2, np.float32),
        shift=np.array([1.0, 1e6], np.float32), kind="mine", parameters={},
    )  # fmt: skip
    hashed = weights_hash(half.hf)
    with pytest.raises(ModelError, match=r"too large for torch\.float16"):
        il.bake(half, edit)
    with pytest.raises(ModelError, match=r"too large for torch\.float16"), edit.applied_to(half):
        pass
    assert weights_hash(half.hf) == hashed


def test_a_model_in_training_mode_is_said_and_set_to_evaluation():
    model = make_model("gpt2")
    model.hf.train()
    with listening() as said:
        loaded = il.load_model((model.hf, model.tokenizer))
    assert not loaded.hf.training
    assert any("was in training mode" in line for line in said)
