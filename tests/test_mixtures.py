"""Mixtures of experts: their neurons are those of every expert MLP, over the tokens that are routed to it."""

import copy
from contextlib import ExitStack

import numpy as np
import pytest
import torch
import transformers
from transformers import AutoModelForCausalLM

import interlingua as il
from conftest import MIXTURES, SENTENCES, make_model, make_tokenizer
from interlingua.alignment.cut import cut
from interlingua.errors import ModelError
from interlingua.experts import record_poolings, record_responses, score_neurons
from interlingua.experts.where_seen import score_where_seen
from interlingua.models import NeuronIndex, NeuronLinear, find_neurons
from test_interventions import logits, some_edit

TEXTS = [sentence for sentences in SENTENCES.values() for sentence in sentences]


@pytest.fixture(params=MIXTURES, scope="module")
def family(request):
    return request.param


@pytest.fixture(scope="module")
def model(family):
    return make_model(family)


@pytest.fixture(scope="module")
def mixtral():
    return make_model("mixtral")


def plain_copy(model):
    """Return the transformers model with the same weights, as transformers makes and runs it."""
    config = copy.deepcopy(model.hf.config)
    config._experts_implementation = "eager"
    plain = type(model.hf)(config).eval()
    plain.load_state_dict(model.hf.state_dict())
    return plain


def by_hand(hf, tokens):
    """Return, for each expert MLP, gate, up and output at each token that plain transformers sends there."""
    answers = {}

    def keep(name, experts, given):
        states, index, _ = given
        for e in range(len(experts.gate_up_proj)):
            x = states[(index == e).any(dim=1)]
            x = x[1:] if len(x) and (index[0] == e).any() else x  # the special token does not count
            fused, down = experts.gate_up_proj[e], experts.down_proj[e]
            if hasattr(experts, "down_proj_bias"):
                both = x @ fused + experts.gate_up_proj_bias[e]
                gate, up = both[:, ::2], both[:, 1::2]
                output = experts._apply_gate(both) @ down + experts.down_proj_bias[e]
            else:
                both = x @ fused.T
                gate, up = both.chunk(2, dim=1)
                output = (experts.act_fn(gate) * up) @ down.T
            answers[f"{name}.{e}"] = (gate, up, output)

    mixtures = [(name, module) for name, module in hf.named_modules() if hasattr(module, "gate_up_proj")]
    with torch.no_grad(), ExitStack() as stack:
        for name, module in mixtures:
            handle = module.register_forward_pre_hook(lambda module, given, name=name: keep(name, module, given))
            stack.callback(handle.remove)
        hf(**tokens)
    return answers


def test_an_open_model_computes_what_transformers_computes_and_saves_the_same(model):
    plain = plain_copy(model)
    tokens = model.tokenizer("un perro y el gato", return_tensors="pt")
    with torch.no_grad():
        torch.testing.assert_close(model.hf(**tokens).logits, plain(**tokens).logits)
    assert model.hf.state_dict().keys() == plain.state_dict().keys()
    assert model.hf.config.to_dict() == plain.config.to_dict()


def test_every_expert_has_neurons_beside_dense_layers_and_shared_experts(model, family):
    dense = {"deepseek_v3": 1, "qwen3_moe": 1, "gemma4": 2}.get(family, 0)
    shared = {"deepseek_v3": 1, "qwen2_moe": 2}.get(family, 0)
    experts = {"deepseek_v3": 4, "qwen3_moe": 8}.get(family, 8)
    assert len(model.neurons.expert_mlps) == experts
    assert len(model.neurons.linears) == 3 * (dense + shared + experts)
    assert len(model.at("hidden").neurons.linears) == dense + shared + experts
    assert find_neurons(model.hf) == model.neurons, "opening twice is opening once"


def test_responses_are_those_of_the_tokens_routed_to_an_expert(model):
    texts = [*TEXTS[4::3], "q"]  # one token goes to some experts only
    pooled = record_poolings(model, texts, ["mean", "max", "last", "active"], token_budget=100)
    routed, plain = pooled["mean"].routed, plain_copy(model)
    assert 0 in routed
    for row, sentence in enumerate(texts):
        read = model.tokenizer(sentence, return_tensors="pt")
        answers, tokens = by_hand(plain, read), read["input_ids"].shape[1] - 1
        for mlp, (name, ids) in enumerate(model.neurons.expert_mlps.items()):
            z = torch.cat(answers[name], dim=1).numpy()
            assert routed[row, mlp] == len(z)
            z = z if len(z) else np.zeros((1, len(ids)))
            expected = {"mean": z.mean(axis=0), "max": z.max(axis=0), "last": z[-1]}
            expected["active"] = (z > 0).sum(axis=0) / tokens
            for pooling, values in expected.items():
                np.testing.assert_allclose(pooled[pooling].values[row, ids], values, atol=2e-5)


@pytest.mark.parametrize("site", ["outputs", "hidden"])
def test_hooks_equal_weights_and_leave_no_trace(model, site):
    at = model.at(site)
    edit = some_edit(at, "mixed", shift=True)
    before, weights = logits(model), {name: tensor.clone() for name, tensor in model.hf.state_dict().items()}
    with edit.applied_to(at, "hooks"):
        hooked = logits(model)
    with edit.applied_to(at, "weights"):
        torch.testing.assert_close(logits(model), hooked, atol=1e-5, rtol=1e-5)
    assert float((hooked - before).abs().max()) > 1e-3
    assert torch.equal(logits(model), before)
    after = model.hf.state_dict()
    assert after.keys() == weights.keys() and all(torch.equal(after[name], weights[name]) for name in after)
    with edit.with_strength(0).applied_to(at):
        assert torch.equal(logits(model), before)


def shifting(model):
    return some_edit(model, "mixed", shift=True)


def scaling(model):
    return some_edit(model, "mixed", shift=False)


@pytest.mark.parametrize("site", ["outputs", "hidden"])
@pytest.mark.parametrize(("family", "make"), [("gpt_oss", shifting), ("mixtral", scaling), ("qwen3_moe", scaling)])
def test_a_baked_checkpoint_is_loaded_by_plain_transformers(family, make, site, tmp_path):
    model = make_model(family).at(site)
    edit = make(model)
    with edit.applied_to(model, "hooks"):
        hooked = logits(model)
    il.bake(model, edit).save_pretrained(tmp_path / "baked")
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "baked")
    with torch.no_grad():
        again = plain(**model.tokenizer("un perro y el gato", return_tensors="pt")).logits
    torch.testing.assert_close(again, hooked, atol=1e-5, rtol=1e-5)


def test_a_shift_that_no_checkpoint_can_hold_is_refused(mixtral, tmp_path):
    edit = shifting(mixtral)
    baked = il.bake(mixtral, edit)
    with edit.applied_to(mixtral, "hooks"):
        torch.testing.assert_close(logits(baked), logits(mixtral), atol=1e-5, rtol=1e-5)
    with pytest.raises(ModelError, match=r"no biases, so that no checkpoint can hold a shift"):
        baked.save_pretrained(tmp_path / "baked")
    assert not (tmp_path / "baked").exists()


def test_experts_of_a_mixture_are_found_saved_and_steered(mixtral, corpus, tmp_path, said):
    found = il.find_experts(mixtral, corpus, activity=True)
    routed = record_responses(mixtral, TEXTS).routed
    counts = found.routing.table(found.neurons, found.languages)
    assert counts.tokens.sum() == routed.sum() == 2 * 2 * sum(len(text.encode()) for text in TEXTS)
    japanese = counts.query("language == 'jpn_Jpan' and layer == 1 and expert == 2")
    assert japanese.sentences.item() == (routed[-6:, 6] > 0).sum()
    assert [line for line in said if "saw no token" in line] == []

    found.save_pretrained(tmp_path / "experts")
    again = il.Experts.from_pretrained(tmp_path / "experts")
    for ranking in ("auroc", "mean-difference", "lape", "both-ends"):
        assert again.rank_by(ranking).top("es", 9).tolist() == found.rank_by(ranking).top("es", 9).tolist()
    table = again.table("es", 9)
    assert table.expert.between(0, 3).all() and table.neuron.tolist() == found.top("es", 9).tolist()

    edit = il.set_to_mean(found, "es", 40)
    assert edit.edits.keys() <= {linear.name for linear in mixtral.neurons.linears}
    with edit.applied_to(mixtral):
        recorded = record_responses(mixtral, TEXTS)
    ids, _, shift = edit.by_neuron(mixtral.neurons)
    mlp = mixtral.neurons.locate(ids).eval("layer * 4 + expert").to_numpy(int)
    expected = np.where(recorded.routed[:, mlp] > 0, shift, 0)
    np.testing.assert_allclose(recorded.values[:, ids], expected, rtol=1e-5, atol=1e-6)


NEURONS = NeuronIndex(
    (
        NeuronLinear("mlp.experts.0.down_proj", 0, "down_proj", 2),
        NeuronLinear("mlp.experts.1.down_proj", 0, "down_proj", 2),
        NeuronLinear("mlp.shared_expert.down_proj", 0, "down_proj", 1),
    )
)


def test_scores_count_pairs_that_an_expert_did_not_see_as_ties():
    random = np.random.default_rng(1)
    responses, labels = random.normal(size=(24, 5)).astype(np.float32), np.repeat(np.arange(3), 8)
    routed = np.stack([random.integers(0, 3, 24), np.where(labels == 1, 0, 2)], axis=1)
    scores = score_where_seen(responses, labels, 3, NEURONS, routed)
    seen = [routed[:, 0] > 0] * 2 + [routed[:, 1] > 0] * 2 + [np.ones(24, dtype=bool)]
    for neuron, there in enumerate(seen):
        z = responses[:, neuron]
        for language in range(3):
            own, others = np.flatnonzero(labels == language), np.flatnonzero(labels != language)
            wins = [float(z[i] > z[j]) if there[i] and there[j] else 0.5 for i in own for j in others]
            assert scores.auroc[language, neuron] == pytest.approx(np.mean(wins))
            kept = there & (labels == language)
            expected = z[kept].mean() if kept.any() else z[there].mean()
            assert scores.statistics.mean[language, neuron] == pytest.approx(expected, rel=1e-5)
    assert scores.auroc[1, 2] == 0.5 and scores.statistics.mean[1, 2] == scores.statistics.other_mean[1, 2]
    assert (scores.average_precision >= 0).all() and (scores.average_precision <= 1).all()


def test_scores_of_experts_that_saw_all_are_those_of_any_neurons():
    random = np.random.default_rng(2)
    responses, labels = random.normal(size=(12, 5)).astype(np.float32), np.repeat(np.arange(2), 6)
    ours = score_where_seen(responses, labels, 2, NEURONS, np.ones((12, 2), dtype=int))
    plain = score_neurons(responses, labels, 2)
    np.testing.assert_allclose(ours.auroc, plain.auroc)
    np.testing.assert_allclose(ours.average_precision, plain.average_precision)
    for name, array in plain.statistics.arrays().items():
        np.testing.assert_array_equal(ours.statistics.arrays()[name], array)


def test_an_expert_that_saw_nothing_tells_nothing():
    responses, labels = np.zeros((6, 5), np.float32), np.repeat(np.arange(3), 2)
    routed = np.stack([np.zeros(6, int), labels == 0], axis=1)
    scores = score_where_seen(responses, labels, 3, NEURONS, routed)
    np.testing.assert_array_equal(scores.auroc, 0.5)
    np.testing.assert_allclose(scores.average_precision[:, :4], 1 / 3)
    np.testing.assert_array_equal(scores.statistics.mean, scores.statistics.other_mean)
    assert (il.FINDERS["mean-difference"](scores) == 0).all()


def test_an_offloaded_mixture_is_steered_by_hooks(mixtral):
    accelerate = pytest.importorskip("accelerate")
    hf = accelerate.cpu_offload(plain_copy(mixtral), execution_device=torch.device("cpu"))
    model = il.load_model((hf, make_tokenizer()))
    edit = shifting(model)
    with edit.applied_to(model), edit.applied_to(mixtral, "hooks"):
        torch.testing.assert_close(logits(model), logits(mixtral))


def test_a_model_cut_below_a_layer_is_open_too(mixtral):
    below = cut(mixtral, 1, final_norm=True)
    assert len(below.neurons.expert_mlps) == 4
    assert np.isfinite(record_responses(below, TEXTS[:2]).values).all()


def test_mixtures_that_cannot_be_opened_are_an_error_that_says_so():
    config = transformers.Llama4TextConfig(
        vocab_size=9, hidden_size=16, intermediate_size=8, intermediate_size_mlp=8, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, head_dim=8, num_local_experts=2,
    )  # fmt: skip
    with torch.device("meta"):
        hf = transformers.Llama4ForCausalLM(config)
    with pytest.raises(ModelError, match=r"mixtures of experts .* not supported"):
        find_neurons(hf)


def test_blocks_of_another_name_are_named_as_if_there_were_no_experts():
    config = transformers.JambaConfig(
        vocab_size=9, hidden_size=16, intermediate_size=8, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, num_experts=4, expert_layer_period=2, expert_layer_offset=1,
    )  # fmt: skip
    with torch.device("meta"):
        hf = transformers.JambaForCausalLM(config)
    with pytest.raises(ModelError, match=r"have no known name.*feed_forward\.experts\.N\.gate_proj.*mlp_endings"):
        find_neurons(hf)
    index = find_neurons(hf, [f"feed_forward.{name}_proj" for name in ("gate", "up", "down")])
    assert len(index.expert_mlps) == 4 and len(index.linears) == 3 * (1 + 4)
