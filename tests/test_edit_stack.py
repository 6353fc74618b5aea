"""Contexts left in any order, and in several threads: the model runs with the edits that are there, then as before."""

import threading
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import interlingua as il
from conftest import make_model
from interlingua.errors import SteeringError
from interlingua.models.identity import weights_hash

MODELS = {family: make_model(family) for family in ("llama", "gpt2")}
TEXTS = ["el gato duerme", "a dog barks"]


def edit_of(model, seed, n=12):
    random = np.random.default_rng(seed)
    neurons = np.sort(random.choice(len(model.neurons), n, replace=False))
    scale = np.where(random.random(n) < 0.5, 0, random.random(n)).astype(np.float32)
    shift = random.normal(size=n).astype(np.float32)
    return il.Intervention.of_neurons(model.neurons, neurons, scale=scale, shift=shift, kind="mine", parameters={})


def nested(model, edits):
    """Return embeddings with edits entered in their order."""
    if not edits:
        return il.embed(model, TEXTS)
    with edits[0].applied_to(model):
        return nested(model, edits[1:])


@given(st.sampled_from(list(MODELS)), st.permutations(range(3)), st.sampled_from(["auto", "hooks"]), st.integers(0, 99))
def test_contexts_may_be_left_in_any_order(family, order, how, seed):
    model = MODELS[family]
    edits = [edit_of(model, seed + i, n=40) for i in range(3)]
    before = weights_hash(model.hf)
    contexts = [edit.applied_to(model, how=how) for edit in edits]
    for context in contexts:
        context.__enter__()
    left = list(range(3))
    for i in order:
        contexts[i].__exit__(None, None, None)
        left.remove(i)
        if how == "auto":
            np.testing.assert_array_equal(il.embed(model, TEXTS), nested_of_fresh(family, seed, left))
    assert weights_hash(model.hf) == before
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.hf.modules())


def nested_of_fresh(family, seed, left):
    """Return what a model of its own gives with the edits that are left."""
    fresh = make_model(family)
    return nested(fresh, [edit_of(fresh, seed + i, n=40) for i in left])


def test_an_error_inside_leaves_the_model_as_before():
    model = MODELS["llama"]
    before = weights_hash(model.hf)
    with pytest.raises(ZeroDivisionError), edit_of(model, 1).applied_to(model), edit_of(model, 2).applied_to(model):
        raise ZeroDivisionError
    assert weights_hash(model.hf) == before


def test_threads_take_turns_and_each_runs_with_its_edit_alone():
    model = MODELS["llama"]
    before = weights_hash(model.hf)
    edits = [edit_of(model, 10 + i) for i in range(4)]
    expected = [nested(model, [edit]) for edit in edits]
    found = {}

    def work(i):
        for _ in range(3):
            with edits[i].applied_to(model):
                time.sleep(0.005)
                found[i] = il.embed(model, TEXTS)
                with edits[(i + 1) % 4].applied_to(model):
                    pass

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(4):
        np.testing.assert_allclose(found[i], expected[i], atol=1e-6)  # a thread may add up in another order
        assert np.abs(found[i] - expected[(i + 1) % 4]).max() > 1e-3
    assert weights_hash(model.hf) == before


def test_a_thread_that_ended_inside_a_context_keeps_nobody_waiting():
    model = make_model("gpt2")
    thread = threading.Thread(target=lambda: edit_of(model, 1).applied_to(model).__enter__())
    thread.start()
    thread.join()
    with edit_of(model, 2).applied_to(model):
        pass


def test_who_changes_the_weights_meanwhile_is_told():
    model = make_model("gpt2")
    edit = edit_of(model, 1)
    (name, affine), *_ = edit.edits.items()
    with pytest.raises(SteeringError, match="something else changed the weights"), edit.applied_to(model):
        with torch.no_grad():
            model.hf.get_submodule(name).weight[:, affine.units[0]] += 1
        il.embed(model, TEXTS)
