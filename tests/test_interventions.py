import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import interlingua as il
from conftest import SENTENCES, count_hooks, make_model
from interlingua.errors import ArtifactError, InputError, SteeringError
from interlingua.interventions import AffineEdit

TEXT = "un perro y el gato"


def logits(model, text=TEXT):
    with torch.no_grad():
        return model.hf(**model.tokenizer(text, return_tensors="pt")).logits


def outputs(model, text=TEXT):
    """Return what every neuron linear puts out: name to [tokens, units]."""
    seen = {}
    handles = [
        model.hf.get_submodule(x.name).register_forward_hook(
            lambda module, inputs, output, name=x.name: seen.update(
                {name: output.reshape(-1, output.shape[-1]).clone()}
            )
        )
        for x in model.neurons.linears
    ]
    logits(model, text)
    for handle in handles:
        handle.remove()
    return seen


def some_edit(model, scale, shift, n=40, seed=3):
    random = np.random.default_rng(seed)
    ids = random.choice(len(model.neurons), n, replace=False)
    draw = {"zero": np.zeros(n), "one": np.ones(n), "mixed": random.choice([0.0, 1.0, 0.5, -2.0], n)}
    return il.Intervention.of_neurons(
        model.neurons, ids, scale=draw[scale], shift=random.normal(size=n) if shift else 0.0
    )


@pytest.fixture(params=["weights", "hooks"])
def how(request):
    return request.param


@pytest.fixture
def steered(any_model):
    experts = il.find_experts(any_model, il.ParallelCorpus("tiny", "dev", SENTENCES))
    return il.set_to_mean(experts, "spa_Latn", 30)


def test_the_steered_unit_holds_its_value_at_every_token(any_model, steered, how):
    with steered.applied_to(any_model, how):
        # Hooks run in the order of registration, so these see what the edit left.
        seen = outputs(any_model)
    assert len(steered) == 30
    for name, edit in steered.edits.items():
        assert (seen[name][:, edit.units] == torch.from_numpy(edit.shift)).all()


def test_units_that_are_not_edited_in_the_first_layer_are_bitwise_as_before(any_model, steered, how):
    first = any_model.neurons.linears[0].name
    before = outputs(any_model)[first]
    with steered.applied_to(any_model, how):
        after = outputs(any_model)[first]
    edited = steered.edits[first].units if first in steered.edits else []
    others = np.setdiff1d(np.arange(before.shape[1]), edited)
    assert (before[:, others] == after[:, others]).all()


@pytest.mark.parametrize("scale", ["zero", "one", "mixed"])
def test_the_edit_is_scale_times_z_plus_shift(any_model, scale, how):
    last = any_model.neurons.linears[0]
    edit = AffineEdit(np.array([1, 3]), *np.array({"zero": [[0, 0], [1, -2]], "one": [[1, 1], [0.5, 3]], "mixed": [
        [0, -0.5], [2, 0]]}[scale], dtype=np.float32))  # fmt: skip
    before = outputs(any_model)[last.name]
    with il.Intervention({last.name: edit}, any_model.neurons.fingerprint).applied_to(any_model, how):
        after = outputs(any_model)[last.name]
    expected = before[:, [1, 3]] * torch.from_numpy(edit.scale) + torch.from_numpy(edit.shift)
    torch.testing.assert_close(after[:, [1, 3]], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("nothing", ["k = 0", "strength = 0", "scale 1, shift 0"])
def test_an_edit_that_changes_nothing_leaves_logits_bitwise_equal(any_model, steered, nothing, how):
    experts = il.find_experts(any_model, il.ParallelCorpus("tiny", "dev", SENTENCES))
    edit = {
        "k = 0": lambda: il.set_to_mean(experts, "es", 0),
        "strength = 0": lambda: steered.with_strength(0),
        "scale 1, shift 0": lambda: some_edit(any_model, "one", shift=False),
    }[nothing]()
    before = logits(any_model)
    with edit.applied_to(any_model, how):
        assert (logits(any_model) == before).all()
    assert len(edit) == 0


def test_the_model_is_bitwise_as_before_after_the_context(any_model, steered, how):
    before, hooks = logits(any_model), count_hooks(any_model)
    parameters = {name: parameter.clone() for name, parameter in any_model.hf.named_parameters()}
    with steered.applied_to(any_model, how):
        assert not torch.equal(logits(any_model), before)
    assert torch.equal(logits(any_model), before)
    with pytest.raises(ZeroDivisionError), steered.applied_to(any_model, how):
        logits(any_model)
        raise ZeroDivisionError
    assert torch.equal(logits(any_model), before)
    assert count_hooks(any_model) == hooks
    assert parameters.keys() == dict(any_model.hf.named_parameters()).keys()
    for name, parameter in any_model.hf.named_parameters():
        assert torch.equal(parameter, parameters[name])


@pytest.mark.parametrize("inside", ["weights", "hooks"])
def test_contexts_can_be_nested(llama, how, inside):
    first = il.Intervention.of_neurons(llama.neurons, np.array([3]), scale=1.0, shift=1.0)
    second = il.Intervention.of_neurons(llama.neurons, np.array([3]), scale=2.0, shift=0.0)
    before = outputs(llama)["model.layers.0.mlp.gate_proj"][:, 3]
    with first.applied_to(llama, how), second.applied_to(llama, inside):
        after = outputs(llama)["model.layers.0.mlp.gate_proj"][:, 3]
    # Weights come before hooks, whichever context was entered first.
    expected = 2 * before + 1 if (how, inside) == ("hooks", "weights") else 2 * (before + 1)
    torch.testing.assert_close(after, expected)


def test_setting_a_unit_works_where_its_activation_is_infinite(how):
    model = make_model("llama")
    with torch.no_grad():
        model.hf.get_submodule("model.layers.0.mlp.down_proj").weight[2] = float("inf")
    edit = il.Intervention.of_neurons(model.neurons, np.array([130]), scale=0.0, shift=0.25)
    with edit.applied_to(model, how):
        assert (outputs(model)["model.layers.0.mlp.down_proj"][:, 2] == 0.25).all()


def test_an_edited_layer_that_never_runs_is_an_error(how):
    model = make_model("llama")
    edit = some_edit(model, "zero", shift=True)
    mlp = model.hf.get_submodule("model.layers.1.mlp")
    mlp.forward = lambda x: x
    with pytest.raises(SteeringError, match=r"model\.layers\.1\.mlp\.\w+ and \d other edited layers did not run"):
        with edit.applied_to(model, how):
            logits(model)


def test_a_context_in_which_the_model_does_not_run_is_no_error(llama):
    with some_edit(llama, "zero", shift=True).applied_to(llama):
        pass


def test_an_intervention_for_another_model_is_an_error(family_models):
    edit = some_edit(family_models["llama"], "zero", shift=True)
    with pytest.raises(ArtifactError, match="other names or sizes than those of tiny-gpt2"):
        with edit.applied_to(family_models["gpt2"]):
            pass


@given(st.floats(0, 1), st.integers(0, 10))
def test_strength_moves_along_a_line(strength, seed):
    neurons = make_model_neurons()
    full = some_edit_of(neurons, seed)
    part = full.with_strength(strength)
    for name, edit in part.edits.items():
        at = np.searchsorted(full.edits[name].units, edit.units)
        np.testing.assert_allclose(edit.scale, 1 - strength + strength * full.edits[name].scale[at], atol=1e-6)
        np.testing.assert_allclose(edit.shift, strength * full.edits[name].shift[at], atol=1e-6)


def make_model_neurons():
    from interlingua.models import NeuronIndex, NeuronLinear

    return NeuronIndex(
        (NeuronLinear("a.mlp.up_proj", 0, "up_proj", 7), NeuronLinear("a.mlp.down_proj", 0, "down_proj", 5))
    )


def some_edit_of(neurons, seed):
    random = np.random.default_rng(seed)
    return il.Intervention.of_neurons(
        neurons, random.permutation(12)[:6], scale=random.normal(size=6), shift=random.normal(size=6)
    )


def test_strength_outside_0_to_1_is_an_error(llama):
    with pytest.raises(InputError, match="strength must lie between 0 and 1"):
        some_edit(llama, "zero", shift=True).with_strength(1.5)


@pytest.mark.parametrize(
    ("ids", "shift", "message"),
    [([1, 1], 0.0, "twice"), ([12], 0.0, "outside 0"), ([-1], 0.0, "outside 0"), ([1], float("nan"), "finite")],
)
def test_an_impossible_edit_is_an_error(ids, shift, message):
    with pytest.raises(InputError, match=message):
        il.Intervention.of_neurons(make_model_neurons(), np.array(ids), scale=0.0, shift=shift)


def values_of(intervention):
    edits = intervention.edits.values()
    return sorted(zip(np.concatenate([e.scale for e in edits]), np.concatenate([e.shift for e in edits]), strict=True))


def test_random_control_moves_the_same_values_to_other_neurons(any_model, steered):
    control = il.random_control(steered, any_model.neurons, seed=1)
    assert values_of(control) == values_of(steered)
    assert control.content_hash() == il.random_control(steered, any_model.neurons, seed=1).content_hash()
    assert control.content_hash() != il.random_control(steered, any_model.neurons, seed=2).content_hash()
    assert control.content_hash() != steered.content_hash()


def test_random_control_draws_uniformly_from_the_whole_network():
    neurons = make_model_neurons()
    one = il.Intervention.of_neurons(neurons, np.array([0]), scale=0.0, shift=1.0)
    drawn = [next(iter(il.random_control(one, neurons, seed).edits.items())) for seed in range(600)]
    counts = {(name, int(edit.units[0])): 0 for name, edit in drawn}
    for name, edit in drawn:
        counts[name, int(edit.units[0])] += 1
    assert len(counts) == 12
    assert max(counts.values()) < 85, "50 are expected; 85 has a probability below 1e-6"


def test_save_and_load_give_the_same_edit(any_model, steered, tmp_path):
    steered.save_pretrained(tmp_path / "spanish")
    loaded = il.Intervention.from_pretrained(tmp_path / "spanish")
    assert loaded.content_hash() == steered.content_hash()
    assert (loaded.kind, loaded.parameters) == (steered.kind, steered.parameters)
    with steered.applied_to(any_model):
        expected = logits(any_model)
    with loaded.applied_to(any_model):
        assert torch.equal(logits(any_model), expected)


def test_an_empty_intervention_is_saved_and_loaded(llama, tmp_path):
    some_edit(llama, "one", shift=False).save_pretrained(tmp_path / "nothing")
    assert len(il.Intervention.from_pretrained(tmp_path / "nothing")) == 0


def test_loading_what_is_no_intervention_is_an_error(experts, tmp_path):
    experts.save_pretrained(tmp_path / "experts")
    with pytest.raises(ArtifactError, match="holds no intervention"):
        il.Intervention.from_pretrained(tmp_path / "experts")


@pytest.mark.parametrize("way", ["auto", "hooks"])
def test_blooms_slow_path_which_runs_past_its_layers_is_an_error(way):
    model = make_model("bloom")
    for config in {
        id(module.config): module.config for module in model.hf.modules() if hasattr(module, "config")
    }.values():
        config.pretraining_tp, config.slow_but_exact = 2, True
    for module in model.hf.modules():
        if hasattr(module, "slow_but_exact"):
            module.pretraining_tp, module.slow_but_exact = 2, True
    edit = il.Intervention.of_neurons(model.neurons, np.arange(128, 136), scale=0.0, shift=1.0)
    assert list(edit.edits) == ["transformer.h.0.mlp.dense_4h_to_h"]
    with pytest.raises(SteeringError, match="set pretraining_tp to 1"):
        with edit.applied_to(model, way):
            logits(model)
    with pytest.raises(il.InterlinguaError, match="set pretraining_tp to 1"):
        il.bake(model, edit)
    with pytest.raises(SteeringError, match="set pretraining_tp to 1"):
        il.find_experts(model, il.ParallelCorpus("tiny", "dev", SENTENCES))


def test_saving_never_removes_other_files(llama, tmp_path, monkeypatch):
    edit = some_edit(llama, "zero", shift=True)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("years")
    with pytest.raises(InputError, match=r"holds other files \(thesis\.txt\)"):
        edit.save_pretrained(tmp_path / "work")
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["thesis.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["work"]
    edit.save_pretrained(tmp_path / "edit")
    edit.save_pretrained(tmp_path / "edit")
    monkeypatch.chdir(tmp_path / "edit")
    with pytest.raises(InputError, match="working directory"):
        edit.save_pretrained(".")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        edit.save_pretrained(tmp_path / "file")


def test_strengths_multiply(llama):
    edit = some_edit(llama, "mixed", shift=True).with_strength(0.5).with_strength(0.5)
    assert edit.parameters["strength"] == 0.25
