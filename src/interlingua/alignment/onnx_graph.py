"""An aligner as one ONNX graph, from tokens to vectors, which onnxruntime runs without torch."""

from __future__ import annotations

import importlib.util
import shutil
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from interlingua.errors import MissingExtraError, ModelError
from interlingua.files import folder_written_whole
from interlingua.measures.embedding import MAX_LENGTH
from interlingua.models.quiet import quiet_transformers
from interlingua.models.terms import licence_files

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from interlingua.models import LanguageModel


class _Graph(torch.nn.Module):
    """All modules of an encoder, from two tensors to one."""

    def __init__(self, encoder: SentenceTransformer) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        features = {"input_ids": input_ids, "attention_mask": attention_mask}
        return self.encoder(features)["sentence_embedding"]


def save_onnx(folder: Path, exported: Path, model: LanguageModel, *, card: str) -> None:
    """Write `model.onnx`, its weights beside it, and a `tokenizer.json` that cuts and pads as the graph needs it.

    The graph is that of `torch.onnx.export`, in float32: int64 `input_ids` and `attention_mask` [sentences, tokens] to
    float32 `sentence_embedding` [sentences, dimensions], of unit length, for any number of both.

    Args:
        folder: Where.
        exported: A folder that `save_sentence_transformer` wrote.
        model: The cut model that is in it.
        card: The text of the README.

    Raises:
        ModelError: torch cannot export a model of this architecture.
    """
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

    with folder_written_whole(folder) as temporary, quiet_transformers(), _quiet_export():
        encoder = SentenceTransformer(str(exported), device="cpu").float().eval()
        longest = model.longest(MAX_LENGTH)
        # Padding in one of two sentences, so that no branch for a full batch is taken.
        ids, mask = torch.zeros(2, 8, dtype=torch.int64), torch.ones(2, 8, dtype=torch.int64)
        mask[0, 4:] = 0
        shape = {0: torch.export.Dim("sentences"), 1: torch.export.Dim("tokens", max=longest)}
        try:
            torch.onnx.export(
                _Graph(encoder), (ids, mask), temporary / "model.onnx", dynamo=True, verbose=False,
                input_names=["input_ids", "attention_mask"], output_names=["sentence_embedding"],
                dynamic_shapes={"input_ids": shape, "attention_mask": shape},
            )  # fmt: skip
        except torch.onnx.OnnxExporterError as error:
            reason = " ".join(str(error.__cause__ or error).split())[:300]
            raise ModelError(f"torch cannot export {model.name} to ONNX: {reason}") from error
        tokenizer = Tokenizer.from_file(str(exported / "tokenizer.json"))
        tokenizer.enable_truncation(longest)
        tokenizer.enable_padding(pad_id=encoder.tokenizer.pad_token_id, pad_token=encoder.tokenizer.pad_token)
        tokenizer.save(str(temporary / "tokenizer.json"))
        (temporary / "README.md").write_text(card, encoding="utf-8")
        for file in licence_files(exported):
            shutil.copy(file, temporary)


def require_onnx() -> None:
    """Raise unless an aligner can be written as ONNX.

    Raises:
        MissingExtraError: The extra `onnx` is not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in ("sentence_transformers", "onnxscript")):
        raise MissingExtraError("writing ONNX", "onnx")


@contextmanager
def _quiet_export() -> Generator[None]:
    """Silence warnings that torch gives about its own code while it exports."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
