"""Progress bars: tqdm's in a terminal or notebook, a line now and then elsewhere, and one switch for all of them."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from typing import Any, TypeVar

from tqdm import std
from tqdm.auto import tqdm

T = TypeVar("T")
SECONDS_BETWEEN_LINES = 10.0

_enabled = True


def progress_bar(description: str, total: int, unit: str = "it") -> std.tqdm:
    """Return a bar to be used as a context: `bar.update(n)` advances it by `n`.

    Args:
        description: What is done, as "Embedding".
        total: How many there are to do.
        unit: What is counted, as "token".
    """
    kind = tqdm if sys.stderr.isatty() or "ipykernel" in sys.modules else _Lines
    return kind(
        desc=description, total=total, unit=unit, unit_scale=total >= 100_000, leave=False, disable=not _enabled,
        dynamic_ncols=True,
    )  # fmt: skip


def tracked(items: Collection[T], description: str, unit: str = "it") -> Iterator[T]:
    """Yield items behind a bar that counts those that are done."""
    with progress_bar(description, total=len(items), unit=unit) as bar:
        for item in items:
            yield item
            bar.update()


def disable_progress_bars() -> None:
    """Show no progress from now on.

    Example:
        >>> import interlingua as il
        >>> il.disable_progress_bars()
        >>> il.enable_progress_bars()
    """
    global _enabled
    _enabled = False


def enable_progress_bars() -> None:
    """Show progress again."""
    global _enabled
    _enabled = True


class _Lines(std.tqdm):
    """A line now and then, for a log or a pipe: a bar there would be one endless line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        line = "{desc}: {n_fmt}/{total_fmt} ({elapsed}, {rate_fmt}, {remaining} left)"
        super().__init__(*args, **{**kwargs, "mininterval": SECONDS_BETWEEN_LINES, "bar_format": line})

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        if msg is None and self.n:
            self.fp.write(f"{self}\n")
            self.fp.flush()

    def close(self) -> None:
        if not self.disable:
            self.disable = True
            self._decr_instances(self)
