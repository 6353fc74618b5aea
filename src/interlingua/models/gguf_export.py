"""A model as a GGUF file, which llama.cpp runs: a Llama with biases, or what computes the same."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from interlingua.errors import MissingExtraError, ModelError
from interlingua.files import written_whole
from interlingua.models.as_llama import as_llama, llama_config
from interlingua.models.gguf_biases import interleaved
from interlingua.models.gguf_vocabulary import Vocabulary, vocabulary_of
from interlingua.models.terms import terms_of

if TYPE_CHECKING:
    import gguf

    from interlingua.models.language_model import LanguageModel

READS_BIASES = "Llama, and Mistral and Qwen2 where a Llama computes the same"


def require_gguf_export(model: LanguageModel) -> None:
    """Raise unless a model can be written as a GGUF file, with whatever edit is baked into it.

    Raises:
        MissingExtraError: The library `gguf` is not installed.
        ModelError: llama.cpp has no place for the biases of this architecture, or would read it or its tokenizer in
            another way.
    """
    if importlib.util.find_spec("gguf") is None:
        raise MissingExtraError("writing a GGUF file", "gguf")
    config: Any = model.hf.config
    if config.model_type != "llama" and llama_config(config) is None:
        raise ModelError(
            f"{model.name} is a {config.model_type}, whose MLP layers have no biases in llama.cpp or are not written "
            f"here; these can be: {READS_BIASES}. Bake a checkpoint instead (`--out`)"
        )
    rope = config.rope_parameters["rope_type"]
    if config.hidden_act != "silu" or rope not in ("default", "linear", "llama3"):
        raise ModelError(
            f"llama.cpp would compute another thing than {model.name} does: it has the activation "
            f"{config.hidden_act} and the rotary positions '{rope}', and a Llama there has silu, and 'default', "
            "'linear' or 'llama3'"
        )
    _vocabulary(model)


def save_gguf(model: LanguageModel, path: Path) -> None:
    """Write a model as a GGUF file, its weights in the type in which they are held.

    Raises:
        MissingExtraError, ModelError: As `require_gguf_export`.
        StorageError: The file cannot be written.
    """
    require_gguf_export(model)
    import gguf

    hf: Any = model.hf if model.hf.config.model_type == "llama" else as_llama(model.hf)
    terms = terms_of(model.name, model.hf.config.model_type)
    with written_whole(path) as temporary:
        writer = gguf.GGUFWriter(temporary, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.LLAMA])
        writer.add_name(path.stem)
        writer.add_description(f"{terms.base}, steered by interlingua. {terms.text}")
        if terms.licence is not None:
            writer.add_license(terms.licence)
        _write_sizes(writer, hf.config, getattr(gguf.LlamaFileType, _FILE_TYPES[hf.dtype]))
        _vocabulary(model).write(writer)
        for name, tensor in _tensors(hf):
            one_dimension = tensor.dim() == 1  # which llama.cpp holds in float32
            _add_tensor(writer, name, tensor.float() if one_dimension else tensor)
        if hf.config.rope_parameters["rope_type"] == "llama3":
            writer.add_tensor("rope_freqs.weight", _stretched(model.hf).numpy())
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


_FILE_TYPES = {torch.float32: "ALL_F32", torch.float16: "MOSTLY_F16", torch.bfloat16: "MOSTLY_BF16"}


def _vocabulary(model: LanguageModel) -> Vocabulary:
    embeddings: Any = model.hf.get_input_embeddings()
    return vocabulary_of(model.tokenizer, embeddings.num_embeddings)


def _write_sizes(writer: gguf.GGUFWriter, config: Any, file_type: int) -> None:
    import gguf

    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    if config.rope_parameters["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(config.rope_parameters["factor"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_file_type(file_type)


def _tensors(hf: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the tensors by the names of llama.cpp."""
    import gguf

    config = hf.config
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, parameter in hf.named_parameters():  # tied parameters once: llama.cpp ties what is not there
        kind = name.split(".")[-2]
        tensor = parameter.detach().cpu()
        named = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if named is None:
            raise ModelError(f"llama.cpp has no place for the parameter {name}")
        yield named, interleaved(tensor, heads[kind]) if kind in heads else tensor


def _stretched(hf: Any) -> torch.Tensor:
    """Return by how much each rotary frequency is slower than the plain one: float32 [head_dim / 2]."""
    found = hf.base_model.rotary_emb.inv_freq.detach().cpu().float()
    theta, size = hf.config.rope_parameters["rope_theta"], 2 * len(found)
    return 1.0 / theta ** (torch.arange(0, size, 2, dtype=torch.float32) / size) / found


def _add_tensor(writer: gguf.GGUFWriter, name: str, tensor: torch.Tensor) -> None:
    import gguf

    if tensor.dtype == torch.bfloat16:
        bits = tensor.contiguous().view(torch.uint8).numpy()
        writer.add_tensor(name, bits, raw_shape=bits.shape, raw_dtype=gguf.GGMLQuantizationType.BF16)
    else:
        writer.add_tensor(name, tensor.contiguous().numpy())
