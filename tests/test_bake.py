import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

import interlingua as il
from conftest import CONFIGS, make_model
from interlingua.errors import ModelError
from test_interventions import logits, some_edit

HAS_BIAS_IN_ITS_ARCHITECTURE = {"gpt2", "bloom", "llama"}


@pytest.mark.parametrize("scale", ["zero", "one", "mixed"])
def test_baked_equals_applied(any_model, scale):
    edit = some_edit(any_model, scale, shift=True)
    before = logits(any_model)
    with edit.applied_to(any_model):
        applied = logits(any_model)
    torch.testing.assert_close(logits(il.bake(any_model, edit)), applied, atol=1e-5, rtol=1e-5)
    assert torch.equal(logits(any_model), before), "the model that was given stays as it is"


@pytest.mark.parametrize("family", CONFIGS)
def test_a_saved_checkpoint_loads_in_transformers_with_the_same_logits(family, tmp_path):
    model = make_model(family)
    baked = il.bake(model, some_edit(model, "mixed", shift=True))
    baked.save_pretrained(tmp_path / "ckpt")
    plain = family in HAS_BIAS_IN_ITS_ARCHITECTURE
    hf = AutoModelForCausalLM.from_pretrained(tmp_path / "ckpt", trust_remote_code=not plain)
    tokens = baked.tokenizer("un perro", return_tensors="pt")
    with torch.no_grad():
        torch.testing.assert_close(hf(**tokens).logits, baked.hf(**tokens).logits, atol=1e-5, rtol=1e-5)
        greedy = {"max_new_tokens": 8, "do_sample": False}
        assert torch.equal(hf.generate(**tokens, **greedy), baked.hf.generate(**tokens, **greedy))
    reloaded = il.load_model(tmp_path / "ckpt", dtype="float32", trust_remote_code=not plain)
    torch.testing.assert_close(logits(reloaded), logits(baked), atol=1e-5, rtol=1e-5)


def test_a_checkpoint_that_needs_code_does_not_load_without_it(tmp_path):
    model = make_model("gemma3")
    il.bake(model, some_edit(model, "zero", shift=True)).save_pretrained(tmp_path / "ckpt")
    with pytest.raises(ModelError, match=r"cannot load model.*trust_remote_code"):
        il.load_model(tmp_path / "ckpt")


def test_an_unbaked_model_is_saved_as_its_own_architecture(tmp_path):
    model = make_model("gemma3")
    model.save_pretrained(tmp_path / "ckpt")
    assert torch.equal(logits(il.load_model(tmp_path / "ckpt", dtype="float32")), logits(model))


def test_baking_into_quantised_weights_is_an_error(llama):
    edit = some_edit(llama, "zero", shift=True)
    model = make_model("llama")
    linear = model.hf.get_submodule(next(iter(edit.edits)))
    linear.weight = torch.nn.Parameter(torch.zeros(linear.weight.shape, dtype=torch.int8), requires_grad=False)
    with pytest.raises(ModelError, match="is quantised"):
        il.bake(model, edit)


def test_an_edit_that_changes_nothing_bakes_to_the_same_bits(any_model):
    edit = some_edit(any_model, "one", shift=False)
    assert np.array_equal(logits(il.bake(any_model, edit)).numpy(), logits(any_model).numpy())


def test_a_baked_checkpoint_can_be_baked_again(tmp_path):
    model = make_model("gemma3")
    first = some_edit(model, "zero", shift=True, seed=1)
    il.bake(model, first).save_pretrained(tmp_path / "once")
    once = il.load_model(tmp_path / "once", dtype="float32", trust_remote_code=True)
    second = some_edit(once, "mixed", shift=True, seed=2)
    il.bake(once, second).save_pretrained(tmp_path / "twice")
    twice = il.load_model(tmp_path / "twice", dtype="float32", trust_remote_code=True)
    with il.compose(first, second).applied_to(model):
        torch.testing.assert_close(logits(twice), logits(model), atol=1e-4, rtol=1e-4)
