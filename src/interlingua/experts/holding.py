"""Where a matrix of responses is held: on the device, in memory, or in a file, whichever it fits."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import ml_dtypes
import numpy as np
import psutil
import torch

from interlingua.errors import InputError, StorageError
from interlingua.experts.response_file import ResponseFile, response_file

Hold: TypeAlias = Literal["auto", "device", "memory", "disk"]
ResponseType: TypeAlias = Literal["float32", "float16", "bfloat16"]

NUMPY_TYPES = {"float32": np.dtype("float32"), "float16": np.dtype("float16"), "bfloat16": np.dtype(ml_dtypes.bfloat16)}
SHARE_OF_FREE = 0.5
"""How much of the free memory a matrix may take; the model's activations and the ranking need some too."""


class Held:
    """A matrix that is being filled; only one on disk can have complete blocks when it is opened."""

    def __init__(self, values: np.ndarray | torch.Tensor) -> None:
        self.values = values

    def write(self, rows: Sequence[int], responses: torch.Tensor) -> None:
        """Keep the responses to some sentences: [poolings, rows, neurons]."""
        here = responses.to(self.values.device) if isinstance(self.values, torch.Tensor) else as_numpy(responses)
        self.values[:, rows] = here  # ty: ignore[invalid-assignment]

    def finish(self, block: int, rows: Sequence[int], budget: int) -> None:
        """Note that a block of sentences is complete, and the token budget after it."""

    def finished(self, block: int, rows: Sequence[int]) -> int | None:
        """Return the token budget after a block that is complete already, else None."""
        return None


class _HeldOnDisk(Held):
    def __init__(self, file: ResponseFile) -> None:
        super().__init__(file.values)
        self._file = file

    def write(self, rows: Sequence[int], responses: torch.Tensor) -> None:
        self._file.write(rows, as_numpy(responses))

    def finish(self, block: int, rows: Sequence[int], budget: int) -> None:
        self._file.finish(block, rows, budget)

    def finished(self, block: int, rows: Sequence[int]) -> int | None:
        return self._file.finished(block, rows)


def as_numpy(tensor: torch.Tensor) -> np.ndarray:
    """Return a tensor as an array; numpy's own types lack bfloat16."""
    tensor = tensor.cpu()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.uint16).numpy().view(NUMPY_TYPES["bfloat16"])
    return tensor.numpy()


@contextmanager
def held(
    hold: Hold,
    shape: tuple[int, int, int],
    dtype: ResponseType,
    device: torch.device,
    folder: Path | None,
    identity: Mapping[str, Any],
) -> Generator[Held]:
    """Yield room for a matrix.

    Args:
        hold: Where; `auto` chooses by what is free. With a folder, it takes a file there, so that a killed recording
            can go on, else memory; without one, the device, else memory.
        shape: Poolings, sentences, neurons.
        dtype: Of the responses.
        device: The model's.
        folder: For the file.
        identity: What is recorded, as `response_file` takes it.

    Raises:
        InputError: It is to be held on disk, or fits nowhere else, and there is no folder.
        StorageError: It fits nowhere.
    """
    if hold not in get_args(Hold):
        raise InputError(f"responses cannot be held in '{hold}'; use {', '.join(get_args(Hold))}")
    if dtype not in NUMPY_TYPES:
        raise InputError(f"responses cannot be kept in '{dtype}'; use {', '.join(NUMPY_TYPES)}")
    size = int(np.prod(shape)) * NUMPY_TYPES[dtype].itemsize
    place = choose(size, device, folder) if hold == "auto" else hold
    if place == "device":
        yield Held(torch.empty(shape, dtype=getattr(torch, dtype), device=device))
    elif place == "memory":
        yield Held(np.empty(shape, dtype=NUMPY_TYPES[dtype]))
    elif folder is None:
        raise InputError("responses are held on disk in a folder; name one")
    else:
        with response_file(folder, shape, NUMPY_TYPES[dtype], identity) as file:
            yield _HeldOnDisk(file)


def choose(size: int, device: torch.device, folder: Path | None) -> Literal["device", "memory", "disk"]:
    """Choose where a matrix of so many bytes is held.

    Raises:
        StorageError: It fits nowhere.
    """
    in_memory = size <= SHARE_OF_FREE * psutil.virtual_memory().available
    if folder is not None:
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if in_memory and size > shutil.disk_usage(existing).free + _used(folder):
            return "memory"
        return "disk"
    if device.type == "cuda" and size <= SHARE_OF_FREE * torch.cuda.mem_get_info(device)[0]:
        return "device"
    if in_memory:
        return "memory"
    raise StorageError(
        f"the responses take {size / 1e9:.1f} GB, more than half of the memory that is free; name a folder, so that "
        "they are held on disk, or keep them in float16"
    )


def _used(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir()) if folder.is_dir() else 0
