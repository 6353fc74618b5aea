"""A GGUF file made into a checkpoint of transformers, with nothing of it silently left out."""

from __future__ import annotations

import logging
from contextlib import redirect_stderr
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from interlingua.errors import ModelError
from interlingua.models.gguf_biases import add_left_out
from interlingua.models.quiet import quiet_transformers

if TYPE_CHECKING:
    from gguf import GGUFReader

logger = logging.getLogger(__name__)

LLAMA3_SCALING = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
"""Of every Llama from 3.1 on, as its makers' configs say."""


def dequantise(gguf: Path, folder: Path) -> None:
    """Write the checkpoint of a GGUF file, its weights in float32, and its tokenizer into `folder`.

    Raises:
        ModelError: The file lacks parameters, or scales its rotary positions in a way that would be lost.
    """
    from gguf import GGUFReader
    from transformers import AutoModelForCausalLM, AutoTokenizer

    reader = GGUFReader(gguf)
    scaling, factors = _scaling_of(reader)
    from_file = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    with quiet_transformers(), redirect_stderr(StringIO()):  # its bar, which transformers cannot be asked to leave out
        loaded: Any = AutoModelForCausalLM.from_pretrained(**from_file, dtype=torch.float32, output_loading_info=True)
        quantised, info = loaded
        if info["missing_keys"]:
            raise ModelError(f"it lacks {', '.join(sorted(info['missing_keys'])[:3])}")
        # Transformers refuses to save what was loaded from GGUF. A fresh model of the same config has no such mark.
        config = type(quantised.config).from_dict(quantised.config.to_dict())
        if hasattr(config, "quantization_config"):
            del config.quantization_config
        _set_scaling(config, scaling, factors)
        state = dict(quantised.state_dict())
        add_left_out(reader, config, state)
        with torch.device("meta"):
            plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        for name in plain.state_dict().keys() - state.keys():
            state[name] = torch.zeros(plain.get_parameter(name).shape)  # biases that a Llama has with the others
        plain.load_state_dict(state, assign=True)
        plain.tie_weights()
        _end_turns(plain, reader)
        plain.save_pretrained(folder)
        tokenizer: Any = AutoTokenizer.from_pretrained(**from_file)
        tokenizer.save_pretrained(folder)
        _check_start_token(AutoTokenizer.from_pretrained(folder), reader)


def _check_start_token(tokenizer: Any, reader: GGUFReader) -> None:
    """Warn where texts begin otherwise than the file says, as with the first versions of transformers 5."""
    asked = reader.fields.get("tokenizer.ggml.add_bos_token")
    kind = reader.fields["tokenizer.ggml.model"].contents()
    if asked is None or kind == "gemma4":  # whose flag is wrong: its chat template has the token
        return
    if (tokenizer("a").input_ids[:1] == [tokenizer.bos_token_id]) != asked.contents():
        logger.warning(
            "transformers %s begins the texts of this file %s the start token, and the file says otherwise: install a "
            "newer transformers (5.18 reads such files), and remove this checkpoint",
            version("transformers"), "without" if asked.contents() else "with",
        )  # fmt: skip


def _end_turns(plain: Any, reader: GGUFReader) -> None:
    """Let generation end with a chat model's turn, whose end token transformers does not read."""
    ends = plain.config.eos_token_id
    turn = reader.fields.get("tokenizer.ggml.eot_token_id")
    if turn is not None and plain.generation_config is not None:
        ids = [*(ends if isinstance(ends, list) else [ends]), turn.contents()]
        plain.generation_config.eos_token_id = list(dict.fromkeys(i for i in ids if i is not None))


def _scaling_of(reader: GGUFReader) -> tuple[dict[str, Any], torch.Tensor | None]:
    """Return what a file says of scaled rotary positions, which transformers does not read: keys, and factors."""
    architecture = reader.fields["general.architecture"].contents()
    prefix = f"{architecture}.rope.scaling."
    keys = {name.removeprefix(prefix): f.contents() for name, f in reader.fields.items() if name.startswith(prefix)}
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    if architecture == "gpt-oss" or keys.get("type") == "none":  # the one that transformers reads itself
        keys = {}
    if any(name.startswith("rope_factors") for name in tensors):
        keys["type"] = "longrope"
    factors = tensors.get("rope_freqs.weight")
    return keys, None if factors is None else torch.from_numpy(factors.data.copy()).float().flatten()


def _set_scaling(config: Any, scaling: dict[str, Any], factors: torch.Tensor | None) -> None:
    """Put the scaling of rotary positions into a config.

    Raises:
        ModelError: It is neither linear nor that of Llama 3.
    """
    positions: Any = getattr(config, "rope_parameters", None) or {}
    positions = positions.get("full_attention", positions)  # of Gemma 3, which scales its global layers only
    if scaling.get("type") == "linear" and "factor" in scaling:
        positions.update(rope_type="linear", factor=float(scaling["factor"]))
    elif scaling:
        raise ModelError(
            f"its rotary positions are scaled ({scaling.get('type', 'by keys without a type')}), which is not read"
        )
    if factors is not None:
        unscaled = _frequencies("linear", config, positions, factor=1.0)
        positions.update(rope_type="llama3", factor=round(float(factors.max())), **LLAMA3_SCALING)
        if not torch.allclose(unscaled / factors, _frequencies("llama3", config, positions), rtol=1e-4):
            raise ModelError("its rotary positions are scaled by factors that are not those of Llama 3")


def _frequencies(kind: str, config: Any, positions: dict[str, Any], **more: float) -> torch.Tensor:
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    kept = config.rope_parameters
    config.rope_parameters = {**positions, **more}
    try:
        return ROPE_INIT_FUNCTIONS[kind](config, torch.device("cpu"))[0]
    finally:
        config.rope_parameters = kept
