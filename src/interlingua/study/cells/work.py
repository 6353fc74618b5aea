"""What the function of a measure is given: a cell, the results that it needs, the corpora and the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from interlingua.interventions import edited
from interlingua.models import LanguageModel
from interlingua.study.conditions import Condition, make_edit
from interlingua.study.corpora import Corpora
from interlingua.study.plan import Cell


@dataclass(frozen=True)
class Work:
    """One cell's work.

    Attributes:
        cell: What is to be computed.
        needs: The results of the cells that it needs, by the names that the cell gives them.
        corpora: What is read.
        load_model: Returns the model as it is; it is loaded the first time.
    """

    cell: Cell
    needs: Mapping[str, Any]
    corpora: Corpora
    load_model: Callable[[], LanguageModel]

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The cell's parameters."""
        return self.cell.parameters

    @property
    def model(self) -> LanguageModel:
        """The model as it is."""
        return self.load_model()

    @property
    def condition(self) -> Condition:
        """The cell's condition."""
        if self.cell.condition is None:
            raise ValueError(f"{self.cell.measure} is not about a condition")
        return self.cell.condition

    def in_condition(self) -> AbstractContextManager[None]:
        """Return a context in which the model is in the cell's condition."""
        edit = make_edit(self.needs["experts"], self.condition) if self.condition.edits else None
        return edited(self.model, edit)
