"""GGUF files, the format of llama.cpp, made once into checkpoints under the user's cache folder."""

from __future__ import annotations

import importlib.util
import logging
import re
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import filelock
import platformdirs
from safetensors import SafetensorError

from interlingua.errors import MissingExtraError, ModelError, OutOfMemoryError
from interlingua.files import folder_written_whole, sha256_of_file

logger = logging.getLogger(__name__)

PART = re.compile(r"(.+)-\d{5}-of-(\d{5})\.gguf")
"""The names that llama.cpp gives the parts of a split file, and finds them by."""


def gguf_file(name: str | Path) -> Path | None:
    """Return the GGUF file that the name of a model means, if it means one: a file, or a folder with only that.

    Raises:
        ModelError: A folder holds several GGUF files, or the file is a part of a split one.
    """
    path = Path(name)
    if path.is_file() and (path.suffix.lower() == ".gguf" or _is_gguf(path)):
        found = [path]
    elif path.is_dir() and not (path / "config.json").is_file():
        found = sorted(path.glob("*.gguf"))
    else:
        return None
    for file in found:
        if part := PART.fullmatch(file.name):
            raise ModelError(
                f"'{file}' is one of {int(part[2])} parts, which transformers cannot read; join them by llama.cpp's "
                f"tool, `llama-gguf-split --merge FIRST_PART {part[1]}.gguf`, and name the whole file"
            )
    if len(found) > 1:
        names = ", ".join(file.name for file in found[:5]) + (", ..." if len(found) > 5 else "")
        raise ModelError(f"'{path}' holds {len(found)} GGUF files ({names}); name one, as '{found[0]}'")
    return found[0] if found else None


def _is_gguf(path: Path) -> bool:
    """Tell whether a file begins as GGUF files do; Ollama keeps them without a suffix."""
    with path.open("rb") as file:
        return file.read(4) == b"GGUF"


def checkpoint_of_file(gguf: Path) -> Path:
    """Return the folder of a GGUF file's checkpoint; the first call makes it.

    Raises:
        MissingExtraError: The library `gguf` is not installed, and the checkpoint was not made before.
        ModelError: The file is damaged, or not of a kind that transformers reads.
    """
    if not _is_gguf(gguf):
        raise ModelError(f"'{gguf}' is not a GGUF file, or is damaged: it does not start with the letters GGUF")
    return made_once(gguf.stem, sha256_of_file(gguf), str(gguf), lambda _: gguf)


def checkpoint_folder(name: str, sha256: str) -> Path:
    """Return where the checkpoint of a GGUF file is, whatever its name was when it was made; or where it will be."""
    folder = platformdirs.user_cache_path("interlingua") / "models"
    return next(folder.glob(f"*-{sha256[:12]}"), folder / f"{name}-{sha256[:12]}")


def made_once(name: str, sha256: str, shown: str, fetch: Callable[[Path], Path]) -> Path:
    """Return the folder of a checkpoint, and make it if it is not there.

    Two processes at once do no harm: one makes the checkpoint while the other waits for it.

    Args:
        name: What its folder is named for, besides the hash.
        sha256: Of the GGUF file.
        shown: What messages call the file.
        fetch: Returns the file; it may write it into the folder that it is given, which is removed afterwards.

    Raises:
        MissingExtraError: The library `gguf` is not installed.
        ModelError: Transformers cannot read the file.
    """
    folder = checkpoint_folder(name, sha256)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder, shown):
        if not folder.is_dir():
            _remove_leftovers(folder)
            with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
                gguf = fetch(Path(scratch))
                logger.info("Preparing %s (once): its weights become float32, in %s", shown, folder)
                with folder_written_whole(folder) as checkpoint:
                    _write(gguf, checkpoint, shown)
    return folder


def _write(gguf: Path, checkpoint: Path, shown: str) -> None:
    """Write the checkpoint of a GGUF file into a folder.

    Raises:
        MissingExtraError: What reads such files is not installed.
        ModelError: Transformers cannot read it.
        OutOfMemoryError: Its weights do not fit into memory.
    """
    if any(importlib.util.find_spec(needed) is None for needed in ("gguf", "accelerate")):
        raise MissingExtraError(f"reading {shown}", "gguf")
    from interlingua.models.dequantise import dequantise  # here, since it imports torch

    try:
        dequantise(gguf, checkpoint)
    except SafetensorError:  # what cannot be written
        raise
    except Exception as error:  # whatever a damaged or an unknown file makes a library raise
        if isinstance(error, MemoryError) or "allocate memory" in str(error):
            raise OutOfMemoryError(
                f"no memory for the weights of {shown}, which take four bytes a parameter"
            ) from error
        if isinstance(error, OSError) and error.errno is not None:  # transformers raises others without a number
            raise
        kind = "" if isinstance(error, ModelError) else f"{type(error).__name__}: "
        reason = " ".join(f"{kind}{error}".split())[:300]
    else:
        return
    raise ModelError(
        f"cannot read {shown}: {reason}. The file may be damaged, or of an architecture whose GGUF files transformers "
        "does not read; the model's original checkpoint (a Hub id, or a folder) works where the file does not"
    )


@contextmanager
def _lock(folder: Path, shown: str) -> Generator[None]:
    """Keep others from making a checkpoint at the same time, and say so where another does."""
    lock = filelock.FileLock(f"{folder}.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        logger.info("Another process prepares %s; waiting for it", shown)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _remove_leftovers(folder: Path) -> None:
    """Remove what a conversion that was killed has left; the lock says that none goes on."""
    for path in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(path, ignore_errors=True)
