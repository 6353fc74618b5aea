"""Checks of what is read from disk, and what is wrong with it in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not JSON, or nests too deeply, or a number has too many digits.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("its brackets nest too deeply") from None


def first_error(error: ValidationError) -> str:
    """Return the first of pydantic's errors, and where it is.

    Example:
        >>> from pydantic import TypeAdapter
        >>> try:
        ...     TypeAdapter(dict[str, int]).validate_python({"k": "many"})
        ... except ValidationError as error:
        ...     print(first_error(error))
        'k': Input should be a valid integer, unable to parse string as an integer
    """
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f"'{place}': {first['msg']}" if place else first["msg"]


def require_array(
    name: str,
    array: np.ndarray,
    shape: tuple[int, ...],
    *,
    integers: bool = False,
    low: float = -np.inf,
    high: float = np.inf,
) -> None:
    """Raise unless an array has a shape, numbers of a kind, all finite, and none out of range.

    Raises:
        ValueError: It has not; the message names it.

    Example:
        >>> require_array("auroc", np.array([0.5, 1.5]), (2,), low=0, high=1)
        Traceback (most recent call last):
        ...
        ValueError: 'auroc' has numbers outside 0 to 1
    """
    kind = np.integer if integers else np.floating
    if array.shape != shape:
        raise ValueError(f"'{name}' has the shape {list(array.shape)}, not {list(shape)}")
    if not np.issubdtype(array.dtype, kind):
        raise ValueError(f"'{name}' has the type {array.dtype}, not {'an integer' if integers else 'a float'} one")
    if not np.isfinite(array).all():
        raise ValueError(f"'{name}' has numbers that are not finite")
    if array.size and (array.min() < low or array.max() > high):
        raise ValueError(f"'{name}' has numbers outside {low:g} to {high:g}")
