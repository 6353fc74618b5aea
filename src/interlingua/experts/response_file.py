"""Responses on disk, written in blocks with a journal, so that a recording that was killed goes on where it was.

    responses.bin     the matrix
    journal.jsonl     what is recorded, then one line for each finished block, with its checksum

A line is written after its block has reached the disk. A block without a line, or whose checksum is not the one in its
line, is recorded again.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import zlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from interlingua.errors import InputError, StorageError

MATRIX, JOURNAL, LOCK = "responses.bin", "journal.jsonl", "lock"


class ResponseFile:
    """A matrix on disk that is filled in blocks.

    Attributes:
        values: What is there: [poolings, sentences, neurons], memory-mapped and read-only.
    """

    def __init__(self, folder: Path, shape: tuple[int, int, int], dtype: np.dtype, identity: Mapping[str, Any]) -> None:
        self._journal = folder / JOURNAL
        header = {"shape": list(shape), "dtype": str(dtype), **identity}
        finished = _read_journal(self._journal, header)
        if finished is None:
            self._journal.unlink(missing_ok=True)
            _reserve(folder / MATRIX, int(np.prod(shape)) * dtype.itemsize)
            self._append(header)
        self._finished = finished or {}
        self._matrix = os.open(folder / MATRIX, os.O_RDWR)
        self._row_bytes = shape[2] * dtype.itemsize
        self.values = np.memmap(folder / MATRIX, dtype=dtype, mode="r", shape=shape)

    def close(self) -> None:
        """Close the files; what was finished stays."""
        os.close(self._matrix)

    def write(self, rows: Sequence[int], values: np.ndarray) -> None:
        """Write the responses to some sentences: [poolings, rows, neurons] of the matrix's type."""
        for pooling, matrix in enumerate(values):
            for row, responses in zip(rows, matrix, strict=True):
                self._write_at(self._offset(pooling, row), np.ascontiguousarray(responses).view(np.uint8).data)

    def finish(self, block: int, rows: Sequence[int], budget: int) -> None:
        """Say that all responses to a block's sentences are written, and what the token budget is now."""
        os.fsync(self._matrix)
        checksum = self._checksum(rows)
        self._append({"block": block, "checksum": checksum, "budget": budget})
        self._finished[block] = (checksum, budget)

    def finished(self, block: int, rows: Sequence[int]) -> int | None:
        """Return the token budget after a block, or None if the block is not there or damaged."""
        if block not in self._finished:
            return None
        checksum, budget = self._finished[block]
        return budget if checksum == self._checksum(rows) else None

    def _checksum(self, rows: Sequence[int]) -> int:
        checksum = 0
        for pooling in range(len(self.values)):
            for row in rows:
                checksum = zlib.crc32(os.pread(self._matrix, self._row_bytes, self._offset(pooling, row)), checksum)
        return checksum

    def _offset(self, pooling: int, row: int) -> int:
        return (pooling * self.values.shape[1] + row) * self._row_bytes

    def _write_at(self, offset: int, data: memoryview) -> None:
        while len(data):
            written = os.pwrite(self._matrix, data, offset)
            data, offset = data[written:], offset + written

    def _append(self, line: Mapping[str, Any]) -> None:
        with self._journal.open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(line) + "\n")
            journal.flush()
            os.fsync(journal.fileno())


@contextmanager
def response_file(
    folder: Path, shape: tuple[int, int, int], dtype: np.dtype, identity: Mapping[str, Any]
) -> Generator[ResponseFile]:
    """Open a response file: with the finished blocks of an earlier recording of the same, else empty.

    Args:
        folder: Where; it is created if it is missing.
        shape: Poolings, sentences, neurons.
        dtype: Of the responses.
        identity: What is recorded; JSON. Blocks of something else are discarded.

    Raises:
        InputError: The folder cannot be written to, or holds something else.
        StorageError: The disk is full, or another process is recording there.
    """
    lock = FileLock(folder / LOCK, timeout=0)
    with _said_in_one_line(folder, int(np.prod(shape)) * dtype.itemsize):
        folder.mkdir(parents=True, exist_ok=True)
        others = sorted({path.name for path in folder.iterdir()} - {MATRIX, JOURNAL, LOCK})
        if others:
            raise InputError(f"'{folder}' holds other files ({', '.join(others[:3])}); name another folder")
        try:
            lock.acquire()
        except Timeout:
            raise StorageError(f"another process is recording into '{folder}'; wait for it, or stop it") from None
        try:
            file = ResponseFile(folder, shape, dtype, identity)
            try:
                yield file
            finally:
                file.close()
        finally:
            lock.release()


def remove_recording(folder: Path) -> None:
    """Remove a recording whose results are safe elsewhere."""
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _said_in_one_line(folder: Path, size: int) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            free = shutil.disk_usage(folder if folder.exists() else folder.parent).free
            raise StorageError(
                f"the disk of '{folder}' is full: the responses need {size / 1e9:.1f} GB, {free / 1e9:.1f} GB are free."
                " Finished blocks are kept: make room and run it again, or name another folder, or record in float16"
            ) from None
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise InputError(f"cannot write to '{folder}': {error.strerror}; name another folder") from None
        raise


def _read_journal(path: Path, header: Mapping[str, Any]) -> dict[int, tuple[int, int]] | None:
    """Return checksum and budget of each finished block, or None if the journal is not one of the same recording."""
    lines = _lines(path)
    if not lines or lines[0] != json.loads(json.dumps(header)) or not (path.parent / MATRIX).is_file():
        return None
    entries = [line for line in lines[1:] if line is not None]
    return {entry["block"]: (entry["checksum"], entry["budget"]) for entry in entries}


def _lines(path: Path) -> list[dict[str, Any] | None]:
    """Return the lines of a journal, None for one that was not written whole, and end the last one."""
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8", errors="replace")
    if text and not text.endswith("\n"):
        with path.open("a", encoding="utf-8") as journal:
            journal.write("\n")
    parsed: list[dict[str, Any] | None] = []
    for line in text.splitlines():
        try:
            parsed.append(json.loads(line))
        except ValueError:
            parsed.append(None)
    return parsed


def _reserve(path: Path, size: int) -> None:
    """Make a file of that size and allocate all of it, so that a full disk is noticed before the work begins."""
    with path.open("wb") as file:
        if size and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        file.truncate(size)
