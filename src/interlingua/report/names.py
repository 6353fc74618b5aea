"""What pages and the terminal call conditions and tables."""

from __future__ import annotations

import pandas as pd

from interlingua.study import StudyConfig


def condition_name(config: StudyConfig, condition: str, kind: str | float | None) -> str:
    """Return a condition by name, with the kind of its edit where the study has several.

    Args:
        config: The study.
        condition: A name in `ORDER`, for example `steered`.
        kind: As in the column `kind` of a table; missing for the original model.

    Example:
        >>> grid = StudyConfig(kinds=["set-to-mean", "ablate"])
        >>> condition_name(grid, "steered", "ablate"), condition_name(grid, "original", float("nan"))
        ('steered ablate', 'original')
    """
    return f"{condition} {kind_name(config, kind)}".rstrip()


def kind_name(config: StudyConfig, kind: str | float | None) -> str:
    """Return the kind of an edit; nothing where it goes without saying, or there is none."""
    return "" if pd.isna(kind) or not config.several_edits else str(kind)


def heading_of_encoders(table: pd.DataFrame) -> str:
    """Return the heading of the table `encoders`, in which trained ones need not be."""
    return "The chosen map, as it is and adapted" + (", and trained encoders" if table.encoder.nunique() > 1 else "")
