"""A steered model as a GGUF file: llama.cpp reads the same tokens, computes the same logits, writes the same text."""

import json
from itertools import islice

import numpy as np
import pytest
import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast
from typer.testing import CliRunner

import interlingua as il
from conftest import make_model
from interlingua.cli import app
from interlingua.errors import InputError, ModelError
from interlingua.models.gguf_export import require_gguf_export, save_gguf
from interlingua.models.gguf_vocabulary import SPLITS
from interlingua.models.terms import terms_of
from test_interventions import logits, some_edit

gguf = pytest.importorskip("gguf")

TEXTS = ["el gato duerme", "猫が眠る 1234", "I'll say: sí,  claro!\n\n  HE'S 3.3", " 👋🏽 a\tb", "Ω≈ç√ 12345678"]
LLAMA3_ROPE = {
    "rope_type": "llama3", "rope_theta": 1e4, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip


def trained(kind):
    """Train a tokenizer of a kind on the bundled corpus: of 400 tokens, so that embeddings stay small."""
    core = Tokenizer(models.BPE(byte_fallback=kind.startswith("spm"), ignore_merges=kind == "llama-bpe"))
    letters = pre_tokenizers.ByteLevel.alphabet()
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=kind in ("gpt-2", "smollm"))
    splits = {name: pre_tokenizers.Split(Regex(pattern), "isolated") for pattern, name in SPLITS.items()}
    if kind == "smollm":
        core.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), bytes_])
    elif kind in splits:
        core.pre_tokenizer = pre_tokenizers.Sequence([splits[kind], bytes_])
        core.normalizer = normalizers.NFC() if kind == "qwen2" else None
    elif kind == "gpt-2":
        core.pre_tokenizer = bytes_
    else:
        parts = [normalizers.Replace(" ", "▁")]
        core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), *parts] if kind == "spm prefix" else parts)
        letters = ["▁", *(f"<0x{byte:02X}>" for byte in range(256))]
    core.decoder = decoders.ByteLevel() if not kind.startswith("spm") else decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )  # fmt: skip
    probe = il.open_corpus("starter").parallel("dev", languages=["en", "es"], limit=60)
    specials = ["<unk>", "<s>", "</s>"]
    if kind.startswith("spm"):  # whole bytes are tokens, not letters of an alphabet
        core.add_special_tokens(specials)
        trainer = trainers.BpeTrainer(
            vocab_size=500, special_tokens=[*specials, *letters[1:]], initial_alphabet=["▁"], show_progress=False
        )
    else:
        trainer = trainers.BpeTrainer(
            vocab_size=400, special_tokens=specials, initial_alphabet=letters, show_progress=False
        )
    core.train_from_iterator([line for code in probe.languages for line in probe[code]], trainer)
    if kind.startswith("spm"):  # bytes are pieces of their own, not special tokens
        whole = json.loads(core.to_str())
        whole["added_tokens"] = [token for token in whole["added_tokens"] if token["content"] in specials]
        whole["model"]["unk_token"] = "<unk>"
        core = Tokenizer.from_str(json.dumps(whole))
    core.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=core, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def made(family, kind="gpt-2", **options):
    return make_model(family, tokenizer=trained(kind), **options)


@pytest.mark.parametrize("kind", ["gpt-2", "smollm", "llama-bpe", "qwen2", "spm", "spm prefix"])
def test_llama_cpp_reads_the_same_tokens(kind, tmp_path):
    llama_cpp = pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    model = made("llama", kind)
    save_gguf(model, tmp_path / "model.gguf")
    there = llama_cpp.Llama(str(tmp_path / "model.gguf"), verbose=False, vocab_only=True)
    for text in TEXTS:
        assert there.tokenize(text.encode(), add_bos=True) == model.tokenizer(text)["input_ids"], text


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("llama", {}),
        ("llama", {"tie_word_embeddings": True, "rope_parameters": LLAMA3_ROPE}),
        ("llama", {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}}),
        ("mistral", {"sliding_window": None, "head_dim": 16}),
        ("qwen2", {}),
    ],
)
@pytest.mark.parametrize("site", ["outputs", "hidden"])
def test_llama_cpp_computes_and_writes_what_the_steered_model_does(family, options, site, tmp_path):
    llama_cpp = pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    model = made(family, **options)
    with torch.no_grad():
        for name, parameter in model.hf.named_parameters():
            if name.endswith("_proj.bias"):
                parameter.normal_()
    edit = some_edit(model.at(site), "mixed", shift=True)
    save_gguf(il.bake(model, edit), tmp_path / "model.gguf")
    there = llama_cpp.Llama(
        str(tmp_path / "model.gguf"), verbose=False, logits_all=True, n_ctx=256, n_threads=1, type_k=0, type_v=0,
    )  # fmt: skip
    ids = model.tokenizer(TEXTS[0])["input_ids"]
    there.eval(ids)
    with edit.applied_to(model, "hooks"), torch.no_grad():
        expected = model.hf(torch.tensor([ids])).logits[0].numpy()
        written = model.hf.generate(torch.tensor([ids]), max_new_tokens=12, do_sample=False)[0].tolist()
    np.testing.assert_allclose(there.scores[: len(ids)], expected, atol=2e-4 * np.abs(expected).max())
    there.reset()
    assert list(islice(there.generate(ids, temp=0, repeat_penalty=1.0), len(written) - len(ids))) == written[len(ids) :]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_weights_stand_in_the_file_in_their_own_type_with_their_biases(dtype, tmp_path):
    model = made("llama", dtype=dtype)
    baked = il.bake(model, some_edit(model, "mixed", shift=True))
    save_gguf(baked, tmp_path / "model.gguf")
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(tmp_path / "model.gguf").tensors}
    weight = baked.hf.get_submodule("model.layers.1.mlp.down_proj").weight.detach().float().numpy()
    kept = tensors["blk.1.ffn_down.weight"]
    np.testing.assert_array_equal(gguf.dequantize(kept.data, kept.tensor_type).reshape(weight.shape), weight)
    assert kept.tensor_type.name == {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}[str(dtype)[6:]]
    for part in ("ffn_gate", "ffn_up", "ffn_down"):
        assert tensors[f"blk.0.{part}.bias"].tensor_type.name == "F32"


@pytest.mark.parametrize("family", ["gemma3", "gpt2", "phi3"])
def test_what_llama_cpp_has_no_place_for_is_refused_before_any_work(family, tmp_path):
    model = make_model(family)
    with pytest.raises(ModelError, match="can be: Llama, and Mistral and Qwen2"):
        require_gguf_export(model)
    with pytest.raises(ModelError):
        save_gguf(model, tmp_path / "model.gguf")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hidden_act": "gelu"}, "activation gelu"),
        ({"rope_parameters": {**LLAMA3_ROPE, "rope_type": "yarn"}}, "'yarn'"),
    ],
)
def test_a_llama_that_llama_cpp_would_read_otherwise_is_refused(options, said):
    with pytest.raises(ModelError, match=said):
        require_gguf_export(made("llama", **options))


def test_a_tokenizer_that_cuts_text_in_a_way_of_its_own_is_refused(llama):
    with pytest.raises(ModelError, match="every byte is a token"):
        require_gguf_export(llama)
    model = made("llama")
    model.tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(ModelError, match=r"in a way that llama\.cpp has no name for"):
        require_gguf_export(model)


@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_the_command_writes_a_file_that_loads_again_as_the_same_model(family, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    model = made(family)
    with torch.no_grad():
        for name, parameter in model.hf.named_parameters():
            if name.endswith("_proj.bias"):
                parameter.normal_()
    edit = some_edit(model, "mixed", shift=True)
    model.save_pretrained(tmp_path / "model")
    (tmp_path / "model" / "README.md").write_text("---\nlicense: apache-2.0\n---\n", encoding="utf-8")
    edit.save_pretrained(tmp_path / "edit")
    arguments = [
        "bake",
        "--model",
        str(tmp_path / "model"),
        "--intervention",
        str(tmp_path / "edit"),
        "--dtype",
        "float32",
    ]
    done = CliRunner().invoke(app, [*arguments, "--gguf", str(tmp_path / "steered.gguf")])
    assert done.exit_code == 0, done.output
    assert f"GGUF: {tmp_path / 'steered.gguf'}" in done.output
    again = il.load_model(tmp_path / "steered.gguf", dtype="float32")
    assert terms_of(str(tmp_path / "steered.gguf")).licence == "apache-2.0", "the licence goes on with the file"
    torch.testing.assert_close(logits(again), logits(il.bake(model, edit)), atol=1e-4, rtol=1e-4)
    with pytest.raises(InputError, match="say what to write"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
