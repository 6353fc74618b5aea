"""An aligner as a folder of sentence-transformers' stock modules, which loads without code of ours."""

from __future__ import annotations

import copy
import importlib.util
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from interlingua.errors import InputError, MissingExtraError
from interlingua.files import folder_written_whole
from interlingua.interventions import bake
from interlingua.measures.embedding import MAX_LENGTH
from interlingua.models.batching import added_ids
from interlingua.models.quiet import quiet_transformers
from interlingua.valid import read_json

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from interlingua.interventions import Intervention
    from interlingua.models import LanguageModel


def save_sentence_transformer(
    folder: Path,
    model: LanguageModel,
    layers: tuple[int, ...],
    map_: tuple[np.ndarray, np.ndarray],
    *,
    card: str,
    edit: Intervention | None = None,
    special_tokens: bool = False,
) -> None:
    """Write a folder that `SentenceTransformer(folder)` loads, and that gives the vectors of `Aligner.encode`.

    Modules: Transformer (the cut model), Pooling (mean), Dense (the map), Normalize. A layer below the last has not
    been through the final norm, and what a Transformer gives last has: so WeightedLayerPooling stands before Pooling
    and takes the hidden state before the last alone. A model that is cut with its final norm does without. Where the
    tokenizer adds tokens that do not count, WordWeights stands before Pooling too, and gives them the weight 0; what
    comes out of it is float32, so that all modules are in float32 then.

    Args:
        folder: Where.
        model: The cut model.
        layers: The layer that is read; several cannot be.
        map_: The weight, float [dimensions, dimensions], and the bias, float [dimensions], of the linear map.
        card: The text of the README.
        edit: An intervention that the model runs with; it is baked into its weights.
        special_tokens: Whether tokens that the tokenizer adds count in the mean.

    Raises:
        InputError: Several layers are concatenated, or the intervention cannot be in the weights without remote code.
        MissingExtraError: The extra `embed` is not installed.
    """
    require_sentence_transformers()
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules

    if len(layers) > 1:
        raise InputError("stock modules read one layer, and this aligner reads several; align with max_layers=1")
    weight, bias = (torch.from_numpy(array).float() for array in map_)
    model = _with_settings_of_export(model if edit is None else bake(model, edit))
    layer, last = layers[0], model.hf.config.get_text_config().num_hidden_layers
    added = [] if special_tokens else _tokens(model.tokenizer, added_ids(model.tokenizer))
    with TemporaryDirectory() as scratch, folder_written_whole(folder) as temporary, quiet_transformers():
        checkpoint = Path(scratch) / "checkpoint"
        model.save_pretrained(checkpoint)
        if "auto_map" in read_json(checkpoint / "config.json"):
            raise InputError(
                f"the intervention needs biases that {model.name}'s architecture lacks, so that the folder would need "
                "remote code; align without interventions: edits=None"
            )
        options: dict[str, Any] = {
            "model_kwargs": {"dtype": torch.float32 if added else model.hf.dtype},
            "max_seq_length": MAX_LENGTH,
        }
        if layer < last:
            options["config_kwargs"] = {"output_hidden_states": True}
        parts: list[Any] = [modules.Transformer(str(checkpoint), **options)]
        if layer < last:
            weights = torch.nn.Parameter(torch.tensor([1.0, *[0.0] * (last - layer)]))
            parts.append(modules.WeightedLayerPooling(weight.shape[1], last, layer, weights))
        if added:
            ids = range(max(model.tokenizer.get_vocab().values()) + 1)
            parts.append(modules.WordWeights(_tokens(model.tokenizer, ids), dict.fromkeys(added, 0.0)))
        parts.append(modules.Pooling(weight.shape[1], pooling_mode="mean"))
        outputs, inputs = weight.shape
        parts.append(
            modules.Dense(inputs, outputs, activation_function=torch.nn.Identity(), init_weight=weight, init_bias=bias)
        )
        parts.append(modules.Normalize())
        # Its own card would list the weights of WordWeights, one for each token.
        SentenceTransformer(modules=parts, device="cpu").save(str(temporary), create_model_card=False)
        (temporary / "README.md").write_text(card, encoding="utf-8")
        for file in ("NOTICE", *(path.name for path in checkpoint.glob("LICEN[CS]E*"))):
            if (checkpoint / file).is_file():
                shutil.copy(checkpoint / file, temporary)


def require_sentence_transformers() -> None:
    """Raise unless an aligner can be exported.

    Raises:
        MissingExtraError: The extra `embed` is not installed.
    """
    if importlib.util.find_spec("sentence_transformers") is None:
        raise MissingExtraError("writing a folder for sentence-transformers", "embed")


def _with_settings_of_export(model: LanguageModel) -> LanguageModel:
    """Return a model whose tokenizer pads as `embed` does: on the right, which absolute positions need, and at all."""
    tokenizer = copy.deepcopy(model.tokenizer)
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    return replace(model, tokenizer=tokenizer)


def _tokens(tokenizer: PreTrainedTokenizerBase, ids: Iterable[int]) -> list[str]:
    """Return tokens by their ids, which may have gaps: these get no name."""
    return [str(token or "") for token in tokenizer.convert_ids_to_tokens(list(ids))]
