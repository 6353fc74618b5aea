"""Embeddings of every layer, on disk, and read a layer and language at a time: a corpus's may be larger than memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from interlingua.alignment.blocks import Block, Sif, embed_blocks
from interlingua.alignment.cut import cut, edit_of_cut
from interlingua.code_version import results_version
from interlingua.files import sha256_of_json, written_whole
from interlingua.interventions import Intervention, edited
from interlingua.measures.embedding import MAX_LENGTH, layer_numbers
from interlingua.models import LanguageModel
from interlingua.models.batching import tokenise
from interlingua.models.compiling import compiled_blocks, embedding_identity
from interlingua.progress import progress_bar


class Spaces(Mapping[Block, Mapping[str, np.ndarray]]):
    """For each block, for each language, embeddings: float32 [sentences, dimensions], read from disk when asked for."""

    def __init__(self, files: Mapping[str, Path], blocks: Sequence[Block]) -> None:
        self.files = dict(files)
        self.blocks = tuple(blocks)

    def __getitem__(self, block: Block) -> Mapping[str, np.ndarray]:
        if block not in self.blocks:
            raise KeyError(block)
        return _Block(self.files, block)

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)

    def __len__(self) -> int:
        return len(self.blocks)


class _Block(Mapping[str, np.ndarray]):
    def __init__(self, files: Mapping[str, Path], block: Block) -> None:
        self._files = files
        self._block = block

    def __getitem__(self, code: str) -> np.ndarray:
        with safe_open(self._files[code], "np") as file:
            return file.get_tensor(str(self._block))

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def embed_to_disk(
    model: LanguageModel,
    sentences: Mapping[str, Sequence[str]],
    folder: Path,
    *,
    layers: Sequence[int] | None = None,
    edit: Intervention | None = None,
    special_tokens: bool = False,
    token_weights: np.ndarray | None = None,
) -> Spaces:
    """Embed each language's sentences, all layers in one pass, into a file each; those that are there are kept.

    A file is named by the hash of the model, the edit, how tokens count and the sentences, so that none is taken for
    another. One that lacks a layer is made again.

    Args:
        model: The model as it is now.
        sentences: For each language its sentences, or for any other name.
        folder: Where the files go.
        layers: Which hidden states, numbered from 0; by default all.
        edit: What the model runs with.
        special_tokens: Whether tokens that the tokenizer adds count in the mean over a sentence's tokens.
        token_weights: Those of `sif_weights`, with which every layer is pooled by SIF too.

    Raises:
        InputError: The model has no such layer.
    """
    wanted = sorted(layer_numbers(model, layers))
    blocks = (*wanted, *(map(Sif, wanted) if token_weights is not None else ()))
    weights = None if token_weights is None else hashlib.sha256(token_weights.tobytes()).hexdigest()
    edit_hash = edit.content_hash() if edit is not None else None
    made_by = [results_version(), embedding_identity(model), edit_hash, special_tokens, weights]
    files = {
        code: folder / f"{code}-{sha256_of_json([*made_by, list(lines)])[:16]}.safetensors"
        for code, lines in sentences.items()
    }
    lacking = [code for code in sentences if not set(map(str, blocks)) <= names_in(files[code])]
    if lacking:
        shorter = cut(model, max(wanted))
        # Of those that are there too, so that what was stopped goes on as it began.
        tokens = sum(tokenise(model.tokenizer, lines, model.longest(MAX_LENGTH)).tokens for lines in sentences.values())
        bar = progress_bar("Embedding", total=sum(len(sentences[code]) for code in lacking), unit="sentence")
        with bar, edited(shorter, edit_of_cut(edit, shorter)), compiled_blocks(shorter, tokens):
            for code in lacking:
                embedded = embed_blocks(
                    shorter, sentences[code], blocks, special_tokens=special_tokens, token_weights=token_weights
                )
                with written_whole(files[code]) as temporary:
                    save_file({str(block): embedded[block] for block in blocks}, temporary)
                bar.update(len(sentences[code]))
    return Spaces(files, blocks)


def names_in(path: Path) -> set[str]:
    """Return the names of the arrays that a file holds: none where it is absent or damaged."""
    try:
        with safe_open(path, "np") as file:
            return set(file.keys())
    except (OSError, SafetensorError):
        return set()
