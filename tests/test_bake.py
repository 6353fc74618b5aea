import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

import interlingua as il
from conftest import CONFIGS, make_model
from interlingua.errors import ModelError
from test_families import LOADS_WITHOUT_CODE
from test_interventions import logits, some_edit


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
    plain = family in LOADS_WITHOUT_CODE
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


FRESH = """
import sys
import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer, pipeline

for folder in sys.argv[1:]:
    trust = {"trust_remote_code": True}
    tokenizer = AutoTokenizer.from_pretrained(folder, **trust)
    tokens = tokenizer("un perro", return_tensors="pt")
    written = pipeline("text-generation", model=folder, **trust)(
        "un perro", max_new_tokens=8, do_sample=False, return_tensors=True)
    with torch.no_grad():
        found = {
            "logits": AutoModelForCausalLM.from_pretrained(folder, **trust)(**tokens).logits,
            "states": AutoModel.from_pretrained(folder, **trust)(**tokens).last_hidden_state,
            "text": torch.tensor(written[0]["generated_token_ids"]),
            "vector": SentenceTransformer(folder, device="cpu", **trust).encode("un perro", convert_to_tensor=True),
        }
    torch.save(found, f"{folder}/found.pt")
assert "interlingua" not in sys.modules
"""


@pytest.mark.slow
def test_every_way_of_loading_a_checkpoint_gives_the_steered_model(tmp_path):
    """In a process of its own: Auto classes, the pipeline, and sentence-transformers, with code and without."""
    baked = {}
    for family in ("gemma3", "phi3", "qwen2"):
        model = make_model(family)
        baked[family] = il.bake(model, some_edit(model, "mixed", shift=True))
        baked[family].save_pretrained(tmp_path / family)
    folders = [str(tmp_path / family) for family in baked]
    subprocess.run([sys.executable, "-c", FRESH, *folders], check=True, timeout=300)
    for family, model in baked.items():
        found = torch.load(tmp_path / family / "found.pt")
        tokens = model.tokenizer("un perro", return_tensors="pt")
        with torch.no_grad():
            output = model.hf(**tokens, output_hidden_states=True)
            written = model.hf.generate(**tokens, max_new_tokens=8, do_sample=False)
        close = {"atol": 1e-5, "rtol": 1e-5}
        torch.testing.assert_close(found["logits"], output.logits, **close)
        torch.testing.assert_close(found["states"], output.hidden_states[-1], **close)
        torch.testing.assert_close(found["vector"], output.hidden_states[-1][0, -1], **close)
        assert found["text"].tolist() == written[0].tolist()


@pytest.mark.parametrize("family", [family for family in CONFIGS if family not in LOADS_WITHOUT_CODE])
def test_a_class_without_the_biases_finds_no_weights(family, tmp_path):
    model = make_model(family)
    il.bake(model, some_edit(model, "zero", shift=True)).save_pretrained(tmp_path / "ckpt")
    for plain in (type(model.hf), type(model.hf.base_model)):
        with pytest.raises(OSError, match=r"no file named model.safetensors"):
            plain.from_pretrained(tmp_path / "ckpt")


@pytest.mark.parametrize("family", CONFIGS)
def test_an_edit_that_only_scales_needs_no_biases(family, tmp_path):
    model = make_model(family)
    edit = some_edit(model, "mixed", shift=False)
    before = {name for name, _ in model.hf.named_parameters()}
    il.bake(model, edit).save_pretrained(tmp_path / "ckpt")
    loaded = type(model.hf).from_pretrained(tmp_path / "ckpt")
    assert {name for name, _ in loaded.named_parameters()} == before
    with edit.applied_to(model):
        torch.testing.assert_close(logits(SimpleNamespace(hf=loaded, tokenizer=model.tokenizer)), logits(model))


LLAMA3_ROPE = {
    "rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("mistral", {"sliding_window": None, "head_dim": 16}),
        ("mistral", {"tie_word_embeddings": True}),
        ("mistral", {"rope_parameters": LLAMA3_ROPE}),
        ("qwen2", {"use_sliding_window": False, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}),
        ("qwen2", {"use_sliding_window": True, "sliding_window": 512}),
    ],
)
def test_a_llama_with_biases_computes_what_a_mistral_or_qwen2_does(family, options, tmp_path):
    model = make_model(family, **options)
    if family == "qwen2":  # biases of its own, which a Llama has in another place
        with torch.no_grad():
            for name, parameter in model.hf.named_parameters():
                if name.endswith("bias"):
                    parameter.normal_()
    baked = il.bake(model, some_edit(model, "mixed", shift=True))
    baked.save_pretrained(tmp_path / "ckpt")
    llama = il.load_model(tmp_path / "ckpt", dtype="float32")
    assert type(llama.hf).__name__ == "LlamaForCausalLM"
    assert torch.equal(logits(llama), logits(baked))
    text = "un perro ladra fuerte de noche " * 6
    tokens = baked.tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        assert torch.equal(llama.hf(**tokens).logits, baked.hf(**tokens).logits)
    assert llama.hf.config.eos_token_id == model.hf.config.eos_token_id


@pytest.mark.parametrize("family", ["mistral", "qwen2"])
def test_a_short_window_is_no_llamas(family, tmp_path):
    model = make_model(family, max_window_layers=0, use_sliding_window=True, sliding_window=8)
    il.bake(model, some_edit(model, "zero", shift=True)).save_pretrained(tmp_path / "ckpt")
    with pytest.raises(ModelError, match="trust_remote_code"):
        il.load_model(tmp_path / "ckpt")
    assert il.load_model(tmp_path / "ckpt", trust_remote_code=True).hf.config.sliding_window == 8
