"""Other architectures as a Llama, which has biases on its MLP layers where they have none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

SAME_AS_LLAMA = {"mistral": False, "qwen2": True}
"""The architectures that compute what a Llama does, and whether their queries, keys and values have biases."""

OF_ITS_OWN = ("architectures", "layer_types", "model_type", "sliding_window", "max_window_layers", "use_sliding_window")
"""The parts of such a config that a Llama's has not."""


def llama_config(config: PreTrainedConfig) -> PreTrainedConfig | None:
    """Return the config of a Llama with biases that computes what a model of a config does, or None.

    A Mistral or Qwen2 whose attention sees a window that is shorter than its longest text is none: a Llama's sees all.
    """
    from transformers import LlamaConfig

    if config.model_type not in SAME_AS_LLAMA:
        return None
    window = getattr(config, "sliding_window", None)
    used = "sliding_attention" in (getattr(config, "layer_types", None) or ["sliding_attention"])
    if window is not None and used and window < config.max_position_embeddings:
        return None
    shared = {name: value for name, value in config.to_dict().items() if name not in OF_ITS_OWN}
    return LlamaConfig.from_dict({**shared, "attention_bias": SAME_AS_LLAMA[config.model_type], "mlp_bias": True})


def as_llama(hf: PreTrainedModel) -> PreTrainedModel:
    """Return a model as the Llama of `llama_config`, which shares its weights; biases that it lacks are 0."""
    from transformers import LlamaForCausalLM

    config: Any = llama_config(hf.config)
    return with_parameters_of(LlamaForCausalLM, config, hf)


def with_parameters_of(kind: Any, config: PreTrainedConfig, hf: PreTrainedModel) -> PreTrainedModel:
    """Return a model of a class and config that shares another's weights; what the other lacks is 0."""
    with torch.device("meta"):
        made = kind(config)
    state = dict(hf.state_dict())
    for name, parameter in made.named_parameters():
        state.setdefault(name, torch.zeros(parameter.shape, dtype=hf.dtype))
    made.load_state_dict(state, assign=True)
    made.tie_weights()
    if hf.generation_config is not None:
        made.generation_config = hf.generation_config
    return made
