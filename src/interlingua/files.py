"""Writing files so that a reader, or a crash, never sees half of one."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from interlingua.errors import InputError, StorageError

NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def written_whole(path: Path) -> Generator[Path]:
    """Yield a temporary name beside `path`; on leaving, rename it to `path`, or remove it after an error.

    The temporary name keeps the suffix of `path`, since some writers choose their format by it.

    Raises:
        StorageError: It cannot be written; the message says why.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Generator[None]:
    """Turn what goes wrong in writing to a path into an error that says what was being written.

    Raises:
        StorageError: Something went wrong.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        full = isinstance(error, SafetensorError) or error.errno in NO_ROOM
        advice = "; make room and do it again: what was finished is kept" if full else ""
        raise StorageError(f"cannot write '{path}': {reason}{advice}") from error


@contextmanager
def folder_written_whole(path: Path) -> Generator[Path]:
    """Yield an empty temporary folder beside `path`; on leaving, put it in the place of `path`.

    Raises:
        InputError: `path` is a file, the working directory, or a folder that holds anything but older versions of what
            is written; nothing is removed that is not replaced.
        StorageError: It cannot be written; the message says why.
    """
    require_folder(path)
    with writing(path):
        yield from _folder_written_whole(path)


def require_folder(path: Path) -> None:
    """Raise unless a folder could be written there, so that a command fails before the work starts.

    Raises:
        InputError: It is a file, or the working directory or a parent of it.
    """
    if path.exists() and not path.is_dir():
        raise InputError(f"'{path}' is a file; a folder is to be written")
    if path.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise InputError(f"'{path}' is the working directory, or holds it, and cannot be replaced; name another folder")


def require_file(path: Path) -> None:
    """Raise unless a file could be written there.

    Raises:
        InputError: It is a folder.
    """
    if path.is_dir():
        raise InputError(f"'{path}' is a folder; name a file in it")


def require_suffix(path: Path, suffix: str, written: str) -> None:
    """Raise unless the name of a file ends as its format does.

    Args:
        path: The file.
        suffix: For example `.npy`.
        written: What is written, and how, for the message.

    Raises:
        InputError: It ends in another way.
    """
    if path.suffix != suffix:
        raise InputError(f"{written}; '{path.name}' should end in {suffix}")


def _folder_written_whole(path: Path) -> Generator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        for file in temporary.rglob("*"):  # some writers let nobody else read
            file.chmod((0o777 if file.is_dir() else 0o666) & ~_umask())
        if path.exists():
            others = sorted({file.name for file in path.iterdir()} - {file.name for file in temporary.iterdir()})
            if others:
                raise InputError(f"'{path}' holds other files ({', '.join(others[:3])}); name another folder")
            replaced = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
            path.replace(replaced / path.name)
            temporary.replace(path)
            shutil.rmtree(replaced)
        else:
            temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_json(value: Any) -> str:
    """Return the SHA-256 of `value` in canonical JSON: equal for equal values, whatever their key order."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
