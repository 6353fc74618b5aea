"""GGUF files: a checkpoint is made of each once, computes what the original does, and is never silently another."""

import errno

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from transformers import Gemma3TextConfig

import interlingua as il
from conftest import make_model
from interlingua.errors import InterlinguaError, ModelError
from interlingua.models.dequantise import _set_scaling
from interlingua.study.model import Checkpoint

gguf = pytest.importorskip("gguf", reason="GGUF files are not read here (extra `gguf`)")

NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "post_attention_layernorm": "ffn_norm",
    "input_layernorm": "attn_norm",
    "model.layers": "blk",
}
"""What llama.cpp calls the parameters of a Llama."""
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}  # fmt: skip


def write_gguf(path, model, *, architecture="llama", keys=(), tensors=(), without=(), start=True):
    """Write a tiny Llama as llama.cpp's converter does."""
    config = model.hf.config
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    for key, value in dict(keys).items():
        (writer.add_string if isinstance(value, str) else writer.add_float32)(f"{architecture}.{key}", value)
    tokens = sorted(model.tokenizer.get_vocab(), key=model.tokenizer.get_vocab().__getitem__)
    tokens[-2:] = "he", "th"  # in the place of bytes that no text has: a file has merges, or scores
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3] + [1] * (len(tokens) - 3))
    writer.add_token_merges(["t h", "h e"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_pad_token_id(2)
    writer.add_eot_token_id(7)
    writer.add_add_bos_token(start)
    writer.add_chat_template("{% for message in messages %}<{{ message.content }}>{% endfor %}")
    for name, tensor in model.hf.state_dict().items():
        weights = tensor.numpy()
        heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}.get(name.split(".")[-2])
        if heads:  # llama.cpp turns neighbouring pairs, transformers halves
            weights = weights.reshape(heads, 2, -1, weights.shape[1]).swapaxes(1, 2).reshape(weights.shape)
        for theirs, ours in NAMES.items():
            name = name.replace(theirs, ours)
        if name not in without:
            writer.add_tensor(name, np.ascontiguousarray(weights))
    for name, weights in dict(tensors).items():
        writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "interlingua" / "models"


def logits(model):
    ids = torch.arange(3, 120).view(1, -1)
    with torch.inference_mode():
        return model.hf(ids).logits


def scaled(positions):
    """Return a tiny Llama with scaled rotary positions."""
    model = make_model("llama")
    config = type(model.hf.config).from_dict({**model.hf.config.to_dict(), "rope_parameters": positions})
    hf = type(model.hf)(config).eval()
    hf.load_state_dict(model.hf.state_dict())
    return il.LanguageModel(hf, model.tokenizer, model.neurons, "tiny")


def test_a_file_or_its_folder_is_the_model_that_was_written_and_is_made_once(llama, tmp_path, cache, said):
    file = write_gguf(tmp_path / "sha256-abc", llama)  # as Ollama keeps them
    loaded = il.load_model(file, dtype="float32")
    torch.testing.assert_close(logits(loaded), logits(llama), atol=1e-5, rtol=1e-5)
    assert loaded.neurons == llama.neurons
    assert loaded.hf.generation_config.eos_token_id == [1, 7], "a chat ends with a turn"
    assert loaded.tokenizer("the cat").input_ids[:2] == [0, len(llama.tokenizer) - 1], "the start token, and a merge"
    assert loaded.tokenizer.apply_chat_template([{"role": "user", "content": "a"}], tokenize=False) == "<a>"
    assert sum("Preparing" in line for line in said) == 1
    again = il.load_model(str(file), dtype="float32")
    file.rename(tmp_path / "tiny.gguf")
    renamed = il.load_model(str(tmp_path), dtype="float32")
    assert again.identity()["weights"] == renamed.identity()["weights"] == loaded.identity()["weights"]
    assert sum("Preparing" in line for line in said) == 1
    assert len([path for path in cache.iterdir() if path.is_dir()]) == 1
    loaded.save_pretrained(tmp_path / "plain")


def test_a_text_begins_with_the_start_token_where_the_file_says_so_or_that_is_said(llama, tmp_path, monkeypatch, said):
    loaded = il.load_model(write_gguf(tmp_path / "tiny.gguf", llama, start=False))
    warned = any("with the start token, and the file says otherwise" in line for line in said)
    assert (loaded.tokenizer("the").input_ids[0] == loaded.tokenizer.bos_token_id) == warned
    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", lambda *a, **k: loaded.tokenizer)
    il.load_model(write_gguf(tmp_path / "other.gguf", llama))
    assert any("without the start token, and the file says otherwise" in line for line in said) != warned


def test_a_study_knows_a_file_by_its_times_and_not_by_its_name(llama, tmp_path):
    file = write_gguf(tmp_path / "tiny.gguf", llama)
    config = il.StudyConfig(model=str(file))
    mark = Checkpoint.of(config, None).mark
    assert mark is not None
    assert Checkpoint.of(config, None).mark == mark
    write_gguf(file, make_model("llama", seed=1))
    assert Checkpoint.of(config, None).mark != mark


def test_scaled_rotary_positions_are_kept_or_refused(tmp_path):
    keys = {"rope.scaling.type": "linear", "rope.scaling.factor": 4.0}
    linear = scaled({"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0})
    read = il.load_model(write_gguf(tmp_path / "linear.gguf", linear, keys=keys), dtype="float32")
    torch.testing.assert_close(logits(read), logits(linear), atol=1e-5, rtol=1e-5)
    llama3 = scaled(LLAMA3)
    plain = 500000.0 ** -(torch.arange(0, 8, 2) / 8)
    factors = (plain / llama3.hf.model.rotary_emb.inv_freq).numpy()
    tensors = {"rope_freqs.weight": factors}
    read = il.load_model(write_gguf(tmp_path / "llama3.gguf", llama3, tensors=tensors), dtype="float32")
    assert read.hf.config.rope_parameters == LLAMA3
    torch.testing.assert_close(logits(read), logits(llama3), atol=1e-5, rtol=1e-5)
    for kind, options in {
        "yarn": {"keys": {"rope.scaling.type": "yarn"}},
        "longrope": {"tensors": {"rope_factors_long.weight": factors}},
        "are not those of Llama 3": {"tensors": {"rope_freqs.weight": factors * np.float32([1, 2, 1, 1])}},
    }.items():
        with pytest.raises(ModelError, match=kind):
            il.load_model(write_gguf(tmp_path / "other.gguf", llama3, **options))
    config = Gemma3TextConfig()
    _set_scaling(config, {"type": "linear", "factor": 8.0}, None)
    assert config.rope_parameters["full_attention"]["factor"] == 8.0
    assert "factor" not in config.rope_parameters["sliding_attention"]


@pytest.mark.parametrize("kind", ["text", "cut", "architecture", "a parameter", "several", "parts", "no tokenizer"])
def test_a_file_that_cannot_be_read_is_a_line_and_leaves_nothing(llama, tmp_path, cache, kind):
    file = write_gguf(
        tmp_path / "tiny.gguf", llama, architecture="rwkv6" if kind == "architecture" else "llama",
        without=["blk.1.ffn_up.weight"] if kind == "a parameter" else (),
    )  # fmt: skip
    message = "original checkpoint"
    if kind == "text":
        file.write_text("This is no model")
        message = "does not start with the letters GGUF"
    elif kind == "cut":
        file.write_bytes(file.read_bytes()[:-5000])
    elif kind == "a parameter":
        message = r"it lacks model.layers.1.mlp.up_proj.weight"
    elif kind == "several":
        (tmp_path / "b.gguf").write_bytes(b"GGUF")
        file, message = tmp_path, r"holds 2 GGUF files \(b.gguf, tiny.gguf\); name one, as '.*b.gguf'"
    elif kind == "parts":
        file = file.rename(tmp_path / "tiny-00001-of-00002.gguf")
        message = "one of 2 parts.*llama-gguf-split --merge FIRST_PART tiny.gguf"
    elif kind == "no tokenizer":
        file.write_bytes(file.read_bytes().replace(b"tokenizer.ggml.tokens", b"tokenizer.ggml.tokans"))
    with pytest.raises(ModelError, match=message) as failed:
        il.load_model(file)
    assert "\n" not in str(failed.value)
    assert not [path for path in cache.glob("*") if path.suffix != ".lock"]


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "cannot write '.*': No space left on device; make room"),
        (SafetensorError("I/O error: No space left"), "make room"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "no memory for the weights of .*tiny.gguf"),
    ],
)
def test_no_room_is_no_fault_of_the_file(llama, tmp_path, cache, monkeypatch, raised, message):
    def dequantise(gguf, folder):
        raise raised

    monkeypatch.setattr("interlingua.models.dequantise.dequantise", dequantise)
    with pytest.raises(InterlinguaError, match=message) as failed:
        il.load_model(write_gguf(tmp_path / "tiny.gguf", llama))
    assert failed.value.exit_code == 1
    assert not [path for path in cache.glob("*") if path.suffix != ".lock"]


def test_without_the_library_the_extra_is_named(llama, tmp_path, monkeypatch):
    file = write_gguf(tmp_path / "tiny.gguf", llama)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InterlinguaError, match=r"pip install 'interlingua\[gguf\]'"):
        il.load_model(file)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./nothing", "there is no such folder"),
        ("a/b/c", "there is no such folder"),
        ("model.gguf", "there is no such file"),
        (__file__, "it is a file; name its folder"),
        (".", "the folder has no config.json, no adapter_config.json and no .gguf file"),
    ],
)
def test_a_path_where_no_model_is_says_so(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=message):
        il.load_model(name)
