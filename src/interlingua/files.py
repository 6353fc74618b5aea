"""Writing files so that a reader, or a crash, never sees half of one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from interlingua.errors import InputError


@contextmanager
def written_whole(path: Path) -> Generator[Path]:
    """Yield a temporary name beside `path`; on leaving, rename it to `path`, or remove it after an error.

    The temporary name keeps the suffix of `path`, since some writers choose their format by it.
    """
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
def folder_written_whole(path: Path) -> Generator[Path]:
    """Yield an empty temporary folder beside `path`; on leaving, put it in the place of `path`.

    Raises:
        InputError: `path` is a file, the working directory, or a folder that holds anything but older versions of what
            is written; nothing is removed that is not replaced.
    """
    if path.is_file():
        raise InputError(f"'{path}' is a file; a folder is to be written")
    if path.resolve() == Path.cwd():
        raise InputError("the working directory cannot be replaced; name another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        for file in temporary.iterdir():  # some writers let nobody else read
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
