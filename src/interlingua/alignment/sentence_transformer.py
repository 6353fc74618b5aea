"""An aligner as a folder of sentence-transformers' stock modules, which loads without code of ours."""

from __future__ import annotations

import copy
import importlib.util
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from interlingua.alignment.blocks import Block, Sif, layer_of
from interlingua.errors import InputError, MissingExtraError
from interlingua.files import folder_written_whole, write_json
from interlingua.interventions import bake
from interlingua.measures.embedding import MAX_LENGTH
from interlingua.models.batching import added_ids
from interlingua.models.quiet import quiet_transformers
from interlingua.models.terms import licence_files
from interlingua.valid import read_json

if TYPE_CHECKING:
    from interlingua.interventions import Intervention
    from interlingua.models import LanguageModel


def save_sentence_transformer(
    folder: Path,
    model: LanguageModel,
    blocks: Sequence[Block],
    map_: tuple[np.ndarray, np.ndarray],
    *,
    card: str,
    edit: Intervention | None = None,
    special_tokens: bool = False,
    token_weights: np.ndarray | None = None,
) -> None:
    """Write a folder that `SentenceTransformer(folder)` loads, and that gives the vectors of `Aligner.encode`.

    All modules are standard: Transformer (the cut model); for each block WeightedLayerPooling, WordWeights, Pooling and
    Dense; Normalize. A layer below the last has not been through the final norm, and what a Transformer gives last
    has: so WeightedLayerPooling takes one hidden state of all that the Transformer gives. A model that is cut with its
    final norm does without. WordWeights gives tokens that the tokenizer adds the weight 0, and the others 1 or that of
    SIF; what comes out of it is float32, so that all modules are in float32 then. Dense holds the map's columns for its
    block, and adds what the blocks before it gave: they hand it on as `cls_token_embeddings`, which Pooling puts before
    its mean.

    Args:
        folder: Where.
        model: The cut model.
        blocks: What is read.
        map_: The weight, float [outputs, summed dimensions], and the bias, float [outputs], of the linear map.
        card: The text of the README.
        edit: An intervention that the model runs with; it is baked into its weights.
        special_tokens: Whether tokens that the tokenizer adds count in the mean.
        token_weights: Of each token in blocks of SIF.

    Raises:
        InputError: The intervention cannot be in the weights without remote code.
        MissingExtraError: The extra `embed` is not installed.
    """
    require_sentence_transformers()
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules

    size, odd = divmod(map_[0].shape[1], len(blocks))
    if odd:
        raise InputError(
            f"{model.name} has more dimensions in one layer than in another, so that stock modules cannot join them"
        )
    model = _with_settings_of_export(model if edit is None else bake(model, edit))
    last = model.hf.config.get_text_config().num_hidden_layers
    added = () if special_tokens else added_ids(model.tokenizer)
    as_it_ends = list(blocks) == [last]
    in_float32 = bool(added) or any(isinstance(block, Sif) for block in blocks)
    with TemporaryDirectory() as scratch, folder_written_whole(folder) as temporary, quiet_transformers():
        checkpoint = Path(scratch) / "checkpoint"
        model.save_pretrained(checkpoint)
        if "auto_map" in read_json(checkpoint / "config.json"):
            raise InputError(
                f"the intervention needs biases that {model.name}'s architecture lacks, so that the folder would need "
                "remote code; align without interventions"
            )
        options: dict[str, Any] = {
            "model_kwargs": {"dtype": torch.float32 if in_float32 else model.hf.dtype},
            "max_seq_length": model.longest(MAX_LENGTH),
        }
        if not as_it_ends:
            options["config_kwargs"] = {"output_hidden_states": True}
        parts: list[Any] = [modules.Transformer(str(checkpoint), **options)]
        for block in blocks:
            if not as_it_ends:
                weights = torch.nn.Parameter(torch.tensor([1.0, *[0.0] * (last - layer_of(block))]))
                parts.append(modules.WeightedLayerPooling(size, last, layer_of(block), weights))
            weighted = _weights(model, added, token_weights if isinstance(block, Sif) else None)
            if weighted:
                ids = map(str, range(model.hf.config.get_text_config().vocab_size))
                parts.append(modules.WordWeights(list(ids), weighted))
            parts.append(modules.Pooling(size, pooling_mode="mean" if block == blocks[0] else ("cls", "mean")))
            parts.append(_dense(blocks, block, *map_))
        parts.append(modules.Normalize())
        # The card of sentence-transformers would list the weights of WordWeights, one for each token.
        SentenceTransformer(modules=parts, device="cpu").save(str(temporary), create_model_card=False)
        _name_for_others(temporary)
        (temporary / "README.md").write_text(card, encoding="utf-8")
        for file in licence_files(checkpoint):
            shutil.copy(file, temporary)


def _dense(blocks: Sequence[Block], block: Block, weight: np.ndarray, bias: np.ndarray) -> Any:
    """Return the map's part for a block, which adds what it maps its block to and what the blocks before it gave."""
    from sentence_transformers.sentence_transformer.modules import Dense

    at, size = blocks.index(block), weight.shape[1] // len(blocks)
    before = np.eye(len(weight)) if at else np.empty((len(weight), 0))
    part = np.concatenate([before, weight[:, at * size : (at + 1) * size]], axis=1)
    is_last = block == blocks[-1]
    return Dense(
        part.shape[1], len(part), bias=is_last, activation_function=torch.nn.Identity(),
        init_weight=torch.from_numpy(part).float(), init_bias=torch.from_numpy(bias).float(),
        module_output_name="sentence_embedding" if is_last else "cls_token_embeddings",
    )  # fmt: skip


def _weights(model: LanguageModel, added: Sequence[int], token_weights: np.ndarray | None) -> dict[str, float]:
    """Return weights other than 1 by a token's number, which names it since names of tokens need not be unique."""
    rare = {} if token_weights is None else {str(i): float(token_weights[i]) for i in np.flatnonzero(token_weights < 1)}
    return rare | dict.fromkeys(map(str, added), 0.0)


def _name_for_others(folder: Path) -> None:
    """Name plain modules, and the way of pooling, as text-embeddings-inference knows them; it knows no others.

    Version 6 of sentence-transformers, which names them in another way, reads these names of older versions too.
    """
    modules = read_json(folder / "modules.json")
    kinds = [module["type"].rpartition(".")[2] for module in modules]
    if kinds != ["Transformer", "Pooling", "Dense", "Normalize"]:
        return
    for module, kind in zip(modules, kinds, strict=True):
        module["type"] = f"sentence_transformers.models.{kind}"
    write_json(folder / "modules.json", modules)
    pooling = folder / modules[1]["path"] / "config.json"
    modes = {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    write_json(pooling, {"word_embedding_dimension": read_json(pooling)["embedding_dimension"], **modes})


def require_sentence_transformers() -> None:
    """Raise unless an aligner can be exported.

    Raises:
        MissingExtraError: The extra `embed` is not installed.
    """
    if importlib.util.find_spec("sentence_transformers") is None:
        raise MissingExtraError("writing a folder for sentence-transformers", "embed")


def _with_settings_of_export(model: LanguageModel) -> LanguageModel:
    """Return a model whose tokenizer reads and pads as `embed` does.

    It pads on the right, which absolute positions need, and at all. It has no chat template: sentence-transformers puts
    sentences through one as messages, with a system prompt.
    """
    tokenizer = copy.deepcopy(model.tokenizer)
    tokenizer.chat_template = None
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    return replace(model, tokenizer=tokenizer)
