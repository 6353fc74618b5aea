"""The names that every tidy table of a study shares: the conditions, and the columns that identify them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

ORIGINAL, STEERED, RANDOM = "original", "steered", "random"
"""The model as it is, with its experts edited, and with the same edits on random neurons."""

ORDER = (ORIGINAL, STEERED, RANDOM)
"""In which they are shown."""

CONTROL = "control"
"""Another draw of random neurons: its tables are named `control_...`, with the columns of `DRAW`."""

UNIFORM, LAYER, OWN_MEAN = "uniform", "layer", "own-mean"
"""How random neurons are matched to the experts: not at all, as many in each layer, or each set to its own statistics
on the target, so that no value is moved to a neuron that never has it."""

EDIT = ["target", "kind", "k"]
"""The columns that identify an edit: the target language, the method and the number of experts."""

KEYS = ["condition", *EDIT]
"""The columns that identify a condition. The original model has no kind, and k is 0."""

DRAW = [*EDIT, "match", "draw"]
"""The columns that identify a draw of random neurons."""

OVER_TARGETS = ["condition", "kind", "k"]
"""The columns that identify a condition whose targets are taken together."""

PRE, POST, MIXED = "pre", "post", "mixed"
"""The conditions of paraphrase retrieval: both sides from the original model, both from the edited one, or the queries
from the original and the candidates from the edited model."""

AUROC, OUTPUTS = "auroc", "outputs"
"""The paper's finder and site, which the column `kind` does not name."""


def edit_label(kind: str, finder: str, site: str) -> str:
    """Return what the column `kind` calls an edit.

    Example:
        >>> edit_label("set-to-mean", "auroc", "outputs"), edit_label("set-to-mean", "lape", "hidden")
        ('set-to-mean', 'set-to-mean, lape, hidden')
    """
    return ", ".join([kind, *([finder] if finder != AUROC else []), *([site] if site != OUTPUTS else [])])


Tables = Mapping[str, pd.DataFrame]
"""The tidy tables of a study by name."""


def groups(table: pd.DataFrame, columns: Sequence[str]) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Yield the values of some columns, in the order in which they come, with their rows."""
    yield from table.groupby([*columns], sort=False, dropna=False)
