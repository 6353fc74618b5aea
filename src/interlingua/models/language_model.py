"""A causal LM together with its tokenizer and the index of its neurons."""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import torch

from interlingua.errors import InputError, MissingExtraError, ModelError
from interlingua.models.checkpoint import save_checkpoint
from interlingua.models.identity import config_hash, tokenizer_hash, weights_hash
from interlingua.models.neurons import NeuronIndex, Site, find_neurons
from interlingua.models.origin import checkpoint_of, tokenizer_of
from interlingua.models.quiet import quiet_transformers

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from transformers.utils.quantization_config import QuantizationConfigMixin

logger = logging.getLogger(__name__)

CompileMode: TypeAlias = Literal["auto", "on", "off"]
COMPILE: tuple[CompileMode, ...] = get_args(CompileMode)

POSITIONS = ("max_position_embeddings", "seq_length", "max_seq_len")
"""What configs call the most tokens that a model was made to read: most of them, Bloom's and MPT's."""

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class LanguageModel:
    """A causal LM, ready to be read and steered.

    Attributes:
        hf: The transformers model, in evaluation mode.
        tokenizer: Its tokenizer.
        neurons: The index of its MLP neurons.
        name: What it was loaded as.
        revision: The commit it was loaded from, where it came from the Hub.
        mlp_endings: The names of the MLP's linear layers, where they were given.
        compile: Whether `models.compiling` compiles its blocks: `on`, `off`, or `auto`, for long work on a CPU.

    Example:
        A `model` of two layers and 32 dimensions:

        >>> model.hidden_size, model.dtype, len(model.neurons)
        (32, 'float32', 320)
    """

    hf: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    neurons: NeuronIndex
    name: str
    revision: str | None = None
    mlp_endings: tuple[str, ...] | None = None
    compile: CompileMode = "off"

    @property
    def body(self) -> torch.nn.Module:
        """The model without its vocabulary head, which costs more than the rest in a small model."""
        return self.hf.base_model

    @property
    def blocks(self) -> list[torch.nn.Module]:
        """Its blocks: the list of modules, one a layer, that the neurons are in.

        Raises:
            ModelError: There is no such list.
        """
        first = re.search(r"(?:^|\.)(?=\d+\.)", self.neurons.modules[0])
        blocks = list(self.hf.get_submodule(self.neurons.modules[0][: first.start()]).children()) if first else []
        if len(blocks) != self.hf.config.get_text_config().num_hidden_layers:
            raise ModelError(f"cannot find the blocks of {self.name}; only its last hidden states can be embedded")
        return blocks

    @property
    def device(self) -> torch.device:
        """The device of its input; of an offloaded model, whose weights are elsewhere until used, where it runs."""
        embeddings: Any = self.hf.get_input_embeddings()
        offloaded_to = getattr(getattr(embeddings, "_hf_hook", None), "execution_device", None)
        return torch.device(offloaded_to) if offloaded_to is not None else embeddings.weight.device

    @property
    def dtype(self) -> str:
        """The name of the type that the weights are held in, for example `bfloat16`."""
        return str(self.hf.dtype).removeprefix("torch.")

    @property
    def hidden_size(self) -> int:
        """The number of dimensions of a hidden state."""
        return self.hf.config.get_text_config().hidden_size

    @property
    def positions(self) -> int | None:
        """How many tokens it was made to read at a time; None where its config does not say."""
        config = self.hf.config.get_text_config()
        return next((bound for name in POSITIONS if (bound := getattr(config, name, None)) is not None), None)

    def longest(self, max_length: int) -> int:
        """Return to how many tokens a text is cut: `max_length`, and no more than the model was made to read."""
        return max_length if self.positions is None else min(max_length, self.positions)

    def at(self, site: Site) -> LanguageModel:
        """Return the same model, which is not copied, with the neurons of a site: `outputs`, `inner` or `hidden`."""
        return replace(self, neurons=find_neurons(self.hf, self.mlp_endings, neurons=site))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write a checkpoint that transformers loads; see `models.checkpoint` for baked models."""
        save_checkpoint(self.hf, self.tokenizer, Path(folder), self.name)

    def identity(self) -> dict[str, str | None]:
        """Return what identifies this model in a manifest: its name, and what tells apart models of that name."""
        return {
            "model": self.name,
            "revision": self.revision,
            "dtype": self.dtype,
            "device": self.device.type,
            "neurons": self.neurons.fingerprint,
            "weights": weights_hash(self.hf),
            "config": config_hash(self.hf.config),
            "tokenizer": tokenizer_hash(self.tokenizer),
            "torch": version("torch"),
            "transformers": version("transformers"),
        }


def load_model(
    name: str | Path | tuple[PreTrainedModel, PreTrainedTokenizerBase] = "gemma3-270m",
    *,
    device: str = "auto",
    device_map: str | dict[str, Any] | None = None,
    dtype: str = "auto",
    quantization: Literal["8bit", "4bit"] | QuantizationConfigMixin | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
    mlp_endings: Sequence[str] | None = None,
    neurons: Site = "outputs",
    compile: CompileMode = "auto",
) -> LanguageModel:
    """Load a causal LM with its tokenizer and find its neurons.

    Args:
        name: A packaged model (`gemma3-270m`, which the extra `quickstart` carries), the id of a model on the Hugging
            Face Hub, the path of a folder with a checkpoint or a PEFT adapter, of a GGUF file or of a folder with one
            (extra `gguf`), or a loaded `(model, tokenizer)`, which is set to evaluation mode and gets a pad token if it
            has none; of a `PeftModel` the base model, whose layers hold the adapter.
        device: `auto` (a CUDA GPU if there is one, else Apple's, else the CPU), or a torch device such as `cuda:1`.
        device_map: Where transformers puts the parts of the model, instead of `device`: `auto` spreads a model that is
            larger than one GPU.
        dtype: `float32`, `bfloat16`, `float16`, or `auto`: bfloat16 where the device computes in it, else float32.
        quantization: `8bit` or `4bit` by bitsandbytes (extra `quantized`), or any quantisation config of transformers.
            Such a model can be steered by hooks; nothing can be baked into its weights.
        revision: The commit, tag or branch on the Hub.
        trust_remote_code: Whether to run Python code that comes with the model, such as that of a baked Gemma.
        mlp_endings: The names of the MLP's linear layers, for a model of unknown naming; see `find_neurons`.
        neurons: Which units of MLP blocks are neurons: `outputs`, `inner` or `hidden`; see `find_neurons`.
        compile: Whether torch compiles the blocks, one for all, for embedding and perplexity: `auto` where so much is
            read that it pays, on a CPU with a C++ compiler; `on` always; `off` never. Numbers differ by rounding.
            Recording and generation run as they are.

    Returns:
        The model in evaluation mode, its tokenizer, and the index of its neurons.

    Raises:
        ModelError: There is no such model, its checkpoint lacks parameters, or no MLP neurons are found in it.
        MissingExtraError: A GGUF file without the extra `gguf`, or `8bit`, `4bit` without `quantized`.

    Example:
        A name loads the model with its tokenizer. What is loaded already stays where it is:

        >>> load_model((model.hf, model.tokenizer)).neurons == model.neurons
        True
    """
    if dtype not in ("auto", *DTYPES):
        raise InputError(f"unknown dtype '{dtype}'; use auto, {', '.join(DTYPES)}")
    if compile not in COMPILE:
        raise InputError(f"unknown compile '{compile}'; use {', '.join(COMPILE)}")
    if isinstance(name, tuple):
        hf, tokenizer = name
        hf = without_adapter_shell(getattr(hf, "_orig_mod", hf))  # of what `torch.compile` wraps, the model
        name = hf.config.name_or_path or type(hf).__name__
    else:
        place = _device(device)
        options: dict[str, Any] = {"dtype": _dtype(dtype, place), "trust_remote_code": trust_remote_code}
        if device_map is not None or quantization is not None:
            options["device_map"] = device_map or {"": place}
        if quantization is not None:
            options["quantization_config"] = _quantization(quantization)
        hf, tokenizer = _from_pretrained(str(name), checkpoint_of(name), revision, options)
        if "device_map" not in options:
            hf = _to(hf, place)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    rows = hf.get_input_embeddings().num_embeddings
    if tokenizer.pad_token_id is not None and tokenizer.pad_token_id >= rows and tokenizer.eos_token_id is not None:
        logger.warning("the pad token of %s is outside its %d embeddings; its end token is taken", name, rows)
        tokenizer.pad_token = tokenizer.eos_token
    if hf.training:
        logger.warning(
            "%s was in training mode, in which dropout makes every run another; it is set to evaluation", name
        )
    commit = getattr(hf.config, "_commit_hash", None)
    found = find_neurons(hf, mlp_endings, neurons=neurons)
    endings = tuple(mlp_endings) if mlp_endings else None
    return LanguageModel(hf.eval(), tokenizer, found, str(name), commit, endings, compile)


def without_adapter_shell(hf: Any) -> Any:
    """Return the model that PEFT wraps, whose layers hold the adapter; any other model as it is.

    Raises:
        ModelError: The adapter is a learned prompt, which is not in the layers.
    """
    if "peft" not in type(hf).__module__.split("."):
        return hf
    if hf.active_peft_config.is_prompt_learning:
        raise ModelError("an adapter that is a learned prompt is not in the model's layers; use the base model")
    return hf.get_base_model()


def _from_pretrained(name: str, source: str | Path, revision: str | None, options: dict[str, Any]) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    origin = {"revision": revision or "main", "trust_remote_code": options["trust_remote_code"]}
    with quiet_transformers():
        try:
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                source, output_loading_info=True, **{**origin, **options}
            )
            tokenizer: Any = AutoTokenizer.from_pretrained(tokenizer_of(source), **origin)
        except Exception as error:  # whatever a broken config, tokenizer or file makes a library raise
            asked = "" if Path(source).exists() else "no folder here has that name, and of the Hub: "
            raise ModelError(f"cannot load model '{name}': {asked}{_reason(error)}") from error
    hf, info = loaded
    if info["missing_keys"]:
        raise ModelError(
            f"the checkpoint of '{name}' lacks {', '.join(sorted(info['missing_keys']))}: transformers would have "
            "filled them with random numbers"
        )
    return hf, tokenizer


def _quantization(quantization: str | QuantizationConfigMixin) -> QuantizationConfigMixin:
    from transformers import BitsAndBytesConfig

    if not isinstance(quantization, str):
        return quantization
    if quantization not in ("8bit", "4bit"):
        raise InputError(f"unknown quantization '{quantization}'; use 8bit, 4bit, or a config of transformers")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtraError(f"{quantization} quantisation", "quantized")
    return BitsAndBytesConfig(load_in_8bit=quantization == "8bit", load_in_4bit=quantization == "4bit")


def _device(device: str) -> torch.device:
    if device != "auto":
        try:
            place = torch.device(device)
        except RuntimeError:
            raise InputError(f"unknown device '{device}'; use auto, cpu, cuda, cuda:1, mps") from None
        if place.type == "meta":
            raise InputError("device 'meta' holds no numbers; use auto, cpu, cuda, cuda:1, mps")
        return place
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _to(hf: Any, place: torch.device) -> Any:
    try:
        return hf.to(place)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"cannot put the model on '{place}': {_reason(error)}") from None


def _dtype(dtype: str, device: torch.device) -> torch.dtype:
    if dtype != "auto":
        return DTYPES[dtype]
    native = torch.cuda.is_bf16_supported() if device.type == "cuda" else _cpu_computes_bfloat16(device)
    return torch.bfloat16 if native else torch.float32


def _cpu_computes_bfloat16(device: torch.device) -> bool:
    if device.type != "cpu":
        return False
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _reason(error: Exception) -> str:
    if "trust_remote_code" in str(error):
        return "it brings Python code; read that, then allow it: trust_remote_code=True, or --trust-remote-code"
    return " ".join(str(error).split())[:400]
