"""Every intervention of the registry, through one matrix of checks and against numpy by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress

import interlingua as il
from conftest import SENTENCES
from interlingua.errors import InputError
from interlingua.experts import record_responses
from interlingua.interventions import INTERVENTIONS, make_intervention
from interlingua.interventions.registry import explain
from test_interventions import logits

OPTIONS = {"contrastive-vector": {}, "aura": {}, "swap": {"k": 20, "source": "French"}}


@pytest.fixture(scope="module")
def responses(llama):
    """Return the responses by language: float64 [sentences, neurons]."""
    return {code: record_responses(llama, lines).values.astype(np.float64) for code, lines in SENTENCES.items()}


def target_and_others(responses, target="spa_Latn"):
    return responses[target], np.concatenate([z for code, z in responses.items() if code != target])


@pytest.mark.parametrize("kind", INTERVENTIONS)
def test_it_steers_is_saved_and_does_nothing_at_strength_0(kind, llama, experts, tmp_path):
    edit = make_intervention(kind, experts, "Spanish", OPTIONS.get(kind, {"k": 20}))
    before = logits(llama)
    with edit.applied_to(llama):
        steered = logits(llama)
    assert not torch.equal(steered, before)
    with edit.with_strength(0).applied_to(llama):
        assert torch.equal(logits(llama), before)
    edit.save_pretrained(tmp_path / "edit")
    loaded = il.Intervention.from_pretrained(tmp_path / "edit")
    assert (loaded.kind, loaded.content_hash()) == (kind, edit.content_hash())
    assert loaded.parameters["target"] == "spa_Latn"
    with edit.applied_to(llama, "hooks"):
        torch.testing.assert_close(logits(llama), steered, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", INTERVENTIONS)
def test_it_is_explained_in_two_lines(kind):
    what, source = explain(INTERVENTIONS[kind])
    assert what.endswith((".", ","))
    assert source.startswith("Source: ")


def edit_of(intervention, llama):
    return intervention.by_neuron(llama.neurons)


def test_ablate_dampen_and_aura(llama, experts):
    top = np.sort(experts.top("es", 20))
    for edit, scale in (
        (il.ablate(experts, "es", 20), 0.0),
        (il.dampen(experts, "es", 20, factor=0.25), 0.25),
        (il.aura(experts, "es", 20), 2 * (1 - experts.auroc[experts.row("es"), top])),
    ):
        ids, scales, shifts = edit_of(edit, llama)
        assert ids.tolist() == top.tolist()
        np.testing.assert_allclose(scales, np.broadcast_to(scale, 20), atol=1e-7)
        assert (shifts == 0).all()
    ids, scales, _ = edit_of(il.aura(experts, "es"), llama)
    assert set(ids) == set(np.flatnonzero(experts.auroc[experts.row("es")] > 0.5))
    assert ((scales >= 0) & (scales < 1)).all()


def test_mean_shift_and_median(llama, experts, responses):
    target, others = target_and_others(responses)
    ids, scale, shift = edit_of(il.mean_shift(experts, "es", 20), llama)
    np.testing.assert_allclose(shift, (target.mean(0) - others.mean(0))[ids], atol=1e-5)
    assert (scale == 1).all()
    ids, scale, shift = edit_of(il.set_to_mean(experts, "es", 20, statistic="median"), llama)
    np.testing.assert_allclose(shift, np.median(target, axis=0)[ids], atol=1e-5)
    assert (scale == 0).all()


def test_linear_transport_is_the_regression_on_matched_quantiles(llama, experts, responses):
    target, others = target_and_others(responses)
    ids, scale, shift = edit_of(il.linear_transport(experts, "es", 20), llama)
    repeats = len(others) // len(target)
    for i, neuron in enumerate(ids):
        line = linregress(np.sort(others[:, neuron]), np.repeat(np.sort(target[:, neuron]), repeats))
        assert scale[i] == pytest.approx(line.slope, rel=1e-4)
        assert shift[i] == pytest.approx(line.intercept, rel=1e-3, abs=1e-5)


def test_gaussian_transport_carries_mean_and_spread(llama, experts, responses):
    target, others = target_and_others(responses)
    ids, scale, shift = edit_of(il.linear_transport(experts, "es", 20, form="gaussian"), llama)
    carried = others[:, ids] * scale + shift
    np.testing.assert_allclose(carried.mean(0), target[:, ids].mean(0), atol=1e-5)
    np.testing.assert_allclose(carried.std(0), target[:, ids].std(0), rtol=1e-4)


def test_contrastive_vector_shifts_all_outputs_of_a_layer(llama, experts, responses):
    target, others = target_and_others(responses)
    ids, scale, shift = edit_of(il.contrastive_vector(experts, "es", layers=[0], factor=2.0), llama)
    assert ids.tolist() == list(range(128, 160))
    np.testing.assert_allclose(shift, 2 * (target.mean(0) - others.mean(0))[ids], atol=1e-5)
    assert (scale == 1).all()
    assert set(llama.neurons.locate(edit_of(il.contrastive_vector(experts, "es"), llama)[0]).layer) == {1}
    with pytest.raises(InputError, match="no layer 7; it has 0 to 1"):
        il.contrastive_vector(experts, "es", layers=[7])


def test_neutralise_sets_to_the_mean_over_all_languages(llama, experts, responses):
    grand = np.concatenate(list(responses.values())).mean(axis=0)
    ids, scale, shift = edit_of(il.neutralise(experts, "es", 20), llama)
    np.testing.assert_allclose(shift, grand[ids], atol=1e-5)
    assert (scale == 0).all()
    every = set(np.concatenate([experts.top(code, 20) for code in experts.languages]))
    assert set(edit_of(il.neutralise(experts, k=20), llama)[0]) == every


def test_compose_does_one_after_the_other(llama, experts):
    first, then = il.mean_shift(experts, "es", 30), il.dampen(experts, "fr", 30, factor=0.5)
    with first.applied_to(llama, "hooks"), then.applied_to(llama, "hooks"):
        one_by_one = logits(llama)
    with il.compose(first, then).applied_to(llama):
        torch.testing.assert_close(logits(llama), one_by_one, atol=1e-4, rtol=1e-4)


def test_only_keeps_layers_and_modules(llama, experts):
    edit = il.set_to_mean(experts, "es", 60)
    kept = edit.only(llama.neurons, layers=[1], modules=["up_proj", "down_proj"])
    where = llama.neurons.locate(kept.by_neuron(llama.neurons)[0])
    assert set(where.layer) == {1}
    assert set(where.module) <= {"up_proj", "down_proj"}
    before = llama.neurons.locate(edit.by_neuron(llama.neurons)[0])
    assert len(kept) == ((before.layer == 1) & (before.module != "gate_proj")).sum()
    with pytest.raises(InputError, match="the model has no q_proj; it has down_proj, gate_proj, up_proj"):
        edit.only(llama.neurons, modules=["q_proj"])


@given(
    steps=st.lists(
        st.tuples(
            st.none() | st.sets(st.sampled_from([0, 1])).map(sorted),
            st.none() | st.sets(st.sampled_from(["down_proj", "gate_proj", "up_proj"])).map(sorted),
        ),
        max_size=4,
    )
)
def test_only_says_what_an_edit_still_reaches(llama, experts, steps):
    """Of an edit that names its layers too; what a step does not name stays as it is."""
    edit = il.contrastive_vector(experts, "es", layers=[0, 1])
    layers, modules = {0, 1}, {"down_proj", "gate_proj", "up_proj"}
    for some_layers, some_modules in steps:
        edit = edit.only(llama.neurons, layers=some_layers, modules=some_modules)
        layers &= layers if some_layers is None else set(some_layers)
        modules &= modules if some_modules is None else set(some_modules)
    where = llama.neurons.locate(edit.by_neuron(llama.neurons)[0])
    assert set(where.layer) == (layers if "down_proj" in modules else set())
    if len(edit):
        assert set(edit.parameters["layers"]) == layers
        assert set(edit.parameters.get("modules", modules)) == modules


def test_matched_control_has_as_many_neurons_in_each_layer(llama, experts):
    edit = il.set_to_mean(experts, "es", 60)
    control = il.random_control(edit, llama.neurons, seed=4, matched=True)
    assert {n: len(e.units) for n, e in control.edits.items()} == {n: len(e.units) for n, e in edit.edits.items()}
    for name, layer_edit in edit.edits.items():
        assert sorted(layer_edit.shift) == sorted(control.edits[name].shift)
    assert control.content_hash() != edit.content_hash()


@pytest.mark.parametrize(
    ("kind", "target", "options", "message"),
    [
        ("set-to-max", "es", {}, "unknown kind 'set-to-max'; use set-to-mean, ablate"),
        ("set-to-mean", "es", {}, "'set-to-mean' needs k"),
        ("set-to-mean", None, {"k": 5}, "'set-to-mean' needs target"),
        ("ablate", "es", {"k": 5, "factor": 0.5}, "'ablate' takes no factor; it takes target, k"),
        (
            "linear-transport",
            "es",
            {"k": 5, "form": "cubic"},
            "form=cubic: Input should be 'quantile' or",
        ),
        (
            "set-to-mean",
            "es",
            {"k": 5, "statistic": "mode"},
            "statistic=mode: Input should be 'mean' or",
        ),
    ],
)
def test_a_wrong_option_is_an_error(experts, kind, target, options, message):
    with pytest.raises(InputError, match=message):
        make_intervention(kind, experts, target, options)
