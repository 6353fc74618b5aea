"""Embeddings of every layer, on disk, and read a layer and language at a time: a corpus's may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from interlingua.code_version import results_version
from interlingua.files import sha256_of_json, written_whole
from interlingua.interventions import Intervention, edited
from interlingua.measures.embedding import embed_layers, layer_numbers
from interlingua.models import LanguageModel
from interlingua.progress import progress_bar


class Spaces(Mapping[int, Mapping[str, np.ndarray]]):
    """For each layer, for each language, embeddings: float32 [sentences, dimensions], read from disk when asked for."""

    def __init__(self, files: Mapping[str, Path], layers: Sequence[int]) -> None:
        self.files = dict(files)
        self.layers = tuple(layers)

    def __getitem__(self, layer: int) -> Mapping[str, np.ndarray]:
        if layer not in self.layers:
            raise KeyError(layer)
        return _Layer(self.files, layer)

    def __iter__(self) -> Iterator[int]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)


class _Layer(Mapping[str, np.ndarray]):
    def __init__(self, files: Mapping[str, Path], layer: int) -> None:
        self._files = files
        self._layer = layer

    def __getitem__(self, code: str) -> np.ndarray:
        with safe_open(self._files[code], "np") as file:
            return file.get_tensor(str(self._layer))

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
) -> Spaces:
    """Embed each language's sentences, all layers in one pass, into a file each; those that are there are kept.

    A file is named by the hash of the model, the edit, whether special tokens count and the sentences, so that none is
    taken for another. One that lacks a layer is made again.

    Args:
        model: The model as it is now.
        sentences: For each language its sentences, or for any other name.
        folder: Where the files go.
        layers: Which hidden states, numbered from 0; by default all.
        edit: What the model runs with.
        special_tokens: Whether tokens that the tokenizer adds count in the mean over a sentence's tokens.

    Raises:
        InputError: The model has no such layer.
    """
    wanted = sorted(layer_numbers(model, layers))
    made_by = [results_version(), model.identity(), edit.content_hash() if edit is not None else None, special_tokens]
    files = {}
    with progress_bar("Embedding", total=sum(map(len, sentences.values())), unit="sentence") as bar:
        for code, lines in sentences.items():
            files[code] = folder / f"{code}-{sha256_of_json([*made_by, list(lines)])[:16]}.safetensors"
            if not set(wanted) <= _layers_in(files[code]):
                with edited(model, edit):
                    embedded = embed_layers(model, lines, layers=wanted, special_tokens=special_tokens).of_layer
                with written_whole(files[code]) as temporary:
                    save_file({str(layer): embedded[layer] for layer in wanted}, temporary)
            bar.update(len(lines))
    return Spaces(files, wanted)


def _layers_in(path: Path) -> set[int]:
    """Return the layers that a file holds: none where it is absent or damaged."""
    try:
        with safe_open(path, "np") as file:
            return set(map(int, file.keys()))
    except (OSError, SafetensorError):
        return set()
