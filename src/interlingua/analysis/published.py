"""The numbers that the paper prints, beside which a run of one of its models is shown."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from interlingua.languages import parse_language

MODELS = {"bloom-7b1?": "Bloom-7b", "aya-23-8b": "Aya-8b", "polylm(-chat)?-13b": "PolyLM-13b"}
"""What the last part of a model's id looks like, and what the paper calls the model."""

K = {"Bloom-7b": 100, "Aya-8b": 2000, "PolyLM-13b": 2000}
"""The number of experts behind the paper's tables (section 3.3)."""

GROUPS = ("target", "non_target", "all_targets")


def name_in_paper(model: str) -> str | None:
    """Return what the paper calls a model, or None where it is not one of the paper's.

    Args:
        model: An id on the Hub, or a folder that is named as the model.

    Example:
        >>> name_in_paper("bigscience/bloom-7b1"), name_in_paper("gemma3-270m")
        ('Bloom-7b', None)
    """
    last = Path(model).name.lower()
    return next((name for pattern, name in MODELS.items() if re.fullmatch(pattern, last)), None)


@cache
def published() -> pd.DataFrame:
    """Return the paper's tables 1, 2, 3, 5, 6 and 7, and what its text says of the same kind.

    Returns:
        A tidy table with the columns table, model (the paper's name), language (a FLORES-200 code, or the group of
        languages: `target`, `non_target`, `all_targets`), metric, condition (`pre`, `post`, `mixed`; missing where the
        number is not about one), value (missing where the paper has "NA") and error_or_ci, as the paper prints it.

    Example:
        >>> table = published()
        >>> table.query("table == '3' and model == 'Bloom-7b' and condition == 'mixed'").value.item()
        0.33
    """
    path = files("interlingua.analysis").joinpath("data/paper_tables.csv")
    with path.open(encoding="utf-8") as file:
        table = pd.read_csv(file, dtype={"table": "str"})
    table["language"] = [name if name in GROUPS else parse_language(name) for name in table.language]
    return table


def published_values(tables: tuple[str, ...], model: str, metric: str, kind: str, k: int) -> pd.Series:
    """Return the paper's numbers of one metric, by language and condition; empty where they are not comparable.

    They are comparable where the model is one of the paper's, experts are set to their means, and k is the paper's.

    Args:
        tables: The paper's numbers of the tables.
        model: The run's model.
        metric: A name in the column `metric`.
        kind: The kind of the intervention.
        k: The number of experts.
    """
    name = name_in_paper(model)
    comparable = name is not None and kind == "set-to-mean" and K[name] == k
    table = published()
    rows = table[table.table.isin(tables) & (table.model == name) & (table.metric == metric) & comparable]
    return rows.assign(condition=rows.condition.fillna("")).set_index(["language", "condition"]).value
