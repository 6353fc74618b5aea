"""Progress bars: tqdm's in a terminal or notebook, a line now and then elsewhere, and one switch for all of them."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import std
from tqdm.auto import tqdm

SECONDS_BETWEEN_LINES = 10.0

_enabled = True


def progress_bar(description: str, total: int, unit: str = "it") -> std.tqdm:
    """Return a bar to be used as a context: `bar.update(n)` tells that `n` more are done.

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


def disable_progress_bars() -> None:
    """Show no progress from now on.

    Example:
        >>> import interlingua as il
        >>> il.disable_progress_bars()
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


# --- the old API, until every room has moved ---

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

ProgressCallback: TypeAlias = Callable[[str, int, int], None]
"""Called as `progress(task, done, total)`; one task runs from `done=0` to `done=total`, and may be done again."""


def silent(task: str, done: int, total: int) -> None:
    """Show nothing: the default of every function that takes a progress callback."""


@contextmanager
def shown_progress(console: Console) -> Generator[ProgressCallback]:
    """Yield a callback that shows every task on `console`: as bars in a terminal, else as plain lines."""
    if not console.is_terminal:
        yield _plain_lines(console)
        return
    bars = Progress(
        TextColumn("{task.description:<42}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    )
    ids: dict[str, TaskID] = {}

    def update(task: str, done: int, total: int) -> None:
        if task not in ids:
            ids[task] = bars.add_task(task, total=total)
        elif not done:
            bars.reset(ids[task])
        bars.update(ids[task], completed=done, total=total)

    with bars:
        yield update


class _Rate(ProgressColumn):
    """How many are done in a second: tokens, neurons or whatever the task counts."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(_per_second(speed) if speed else "", style="dim")


def _per_second(speed: float) -> str:
    return f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.2g}/s"


def _plain_lines(console: Console) -> ProgressCallback:
    started: dict[str, float] = {}
    printed: dict[str, float] = {}

    def update(task: str, done: int, total: int) -> None:
        now = time.monotonic()
        if not done or task not in started:
            started[task] = now
        if done < total and now - printed.get(task, now - SECONDS_BETWEEN_LINES) < SECONDS_BETWEEN_LINES:
            return
        printed[task] = now
        elapsed = now - started[task]
        rate = f", {_per_second(done / elapsed)}" if done and elapsed >= 1 else ""
        left = f", about {elapsed * (total - done) / done:.0f} s left" if 0 < done < total else ""
        console.print(f"{task}: {done:,}/{total:,} ({elapsed:.0f} s{rate}{left})", markup=False, highlight=False)
        sys.stdout.flush()

    return update
