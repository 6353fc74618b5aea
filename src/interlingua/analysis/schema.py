"""The names that every tidy table of a study shares: the conditions, and the columns that identify them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

ORIGINAL, STEERED, RANDOM = "original", "steered", "random"
"""The model as it is, with its experts edited, and with the same edits on random neurons."""

EDIT = ["target", "kind", "k"]
"""The columns that identify an edit: the target language, the method and the number of experts."""

KEYS = ["condition", *EDIT]
"""The columns that identify a condition. The original model has no kind, and k is 0."""


def groups(table: pd.DataFrame, columns: Sequence[str]) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Yield the values of some columns, in the order in which they come, with their rows."""
    yield from table.groupby([*columns], sort=False, dropna=False)
