"""Which neurons, found how, changed how: every combination of a study in a row, and what each choice explains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from interlingua.analysis.controls import controls
from interlingua.analysis.evidence import records
from interlingua.analysis.schema import AUROC, EDIT, ORIGINAL, OUTPUTS, RANDOM, STEERED, Tables

CHOICES = ["kind", "finder", "neurons", "k"]
OUTCOMES = ["share", "forcing", "log_perplexity", "top1", "distance"]
COLUMNS = ["target", *CHOICES, *OUTCOMES, *(f"{name}_original" for name in OUTCOMES),
           *(f"{name}_random" for name in OUTCOMES), "p"]  # fmt: skip

SITES = ("inner", "hidden")


def grid(tables: Tables) -> pd.DataFrame:
    """Return a row for each edit of a study: what it does to the text and to the space, beside random neurons.

    Args:
        tables: Of a study; `generation`, `forcing`, `perplexity`, `retrieval` and `geometry` are read, those
            that there are.

    Returns:
        Columns: target, kind, finder, neurons (the site), k; share (of texts in the target language), forcing (of
        continuations of prompts in other languages that are in it; Gurgurov et al. 2025), log_perplexity
        (of text in it), top1 (the mean over ordered pairs of different languages), distance (the mean between
        languages), each also of the original model (`share_original` and so on) and on the mean over uniform draws of
        random neurons (`share_random`); p, by rank, of the gain from others among them. What was not measured is
        missing.

    Example:
        >>> keys = {"condition": ["original", "steered"], "target": "spa_Latn", "kind": [None, "add, lape, hidden"]}
        >>> share = pd.DataFrame({**keys, "k": [0, 200], "share": [0.1, 0.8]})
        >>> grid({"generation": share})[["kind", "finder", "neurons", "k", "share", "share_original"]]
          kind finder neurons    k  share  share_original
        0  add   lape  hidden  200    0.8             0.1
    """
    values = {name: _values(tables, name) for name in OUTCOMES}
    ranks = (
        controls(tables) if {"retrieval", "geometry"} & set(tables) else pd.DataFrame(columns=[*EDIT, "effect", "p"])
    )
    ranks = ranks[ranks.effect == "gain from others"].groupby(EDIT).p.max()
    edited = dict.fromkeys(key[1:] for found in values.values() for key in found if key[0] == STEERED)
    rows = []
    for target, label, k in edited:
        row: dict[str, Any] = {"target": target, **choices(label), "k": k, "p": ranks.get((target, label, k))}
        for name, found in values.items():
            row[name] = found.get((STEERED, target, label, k))
            row[f"{name}_random"] = found.get((RANDOM, target, label, k))
            row[f"{name}_original"] = found.get((ORIGINAL, target, None, 0), found.get((ORIGINAL, None, None, 0)))
        rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.astype({name: "float64" for name in COLUMNS if name not in ("target", *CHOICES)})


def main_effects(table: pd.DataFrame) -> pd.DataFrame:
    """Say how much each choice explains of each outcome: its sum of squares as a share of the total (eta squared).

    Interactions and noise make up what is left.

    Args:
        table: What `grid` gives.

    Returns:
        A tidy table: outcome, choice (also `target`), levels (how many there are) and share; no row where an outcome or
        a choice does not vary.
    """
    rows = []
    for outcome in OUTCOMES:
        known = table.dropna(subset=outcome)
        centred = known[outcome] - known[outcome].mean()
        total = float(np.square(centred).sum())
        for choice in ["target", *CHOICES]:
            levels = known[choice].nunique()
            if levels > 1 and total > 0:
                explained = np.square(centred.groupby(known[choice]).transform("mean")).sum()
                rows.append((outcome, choice, levels, float(explained) / total))
    return pd.DataFrame(rows, columns=["outcome", "choice", "levels", "share"])


def choices(label: str) -> dict[str, str]:
    """Return kind, finder and site of an edit from what the column `kind` calls it.

    Example:
        >>> choices("set-to-mean, hidden")
        {'kind': 'set-to-mean', 'finder': 'auroc', 'neurons': 'hidden'}
    """
    kind, *others = label.split(", ")
    site = others.pop() if others and others[-1] in SITES else OUTPUTS
    return {"kind": kind, "finder": others[0] if others else AUROC, "neurons": site}


def _values(tables: Tables, outcome: str) -> dict[tuple, float]:
    """Return an outcome by condition, target, kind and k; of random neurons the mean over uniform draws."""
    parts = []
    if outcome in ("share", "log_perplexity"):
        name = "generation" if outcome == "share" else "perplexity"
        parts = [
            tables[title].assign(value=tables[title][outcome]) for title in (name, f"control_{name}") if title in tables
        ]
    elif outcome == "forcing" and "forcing" in tables:
        both = [tables[title] for title in ("forcing", "control_forcing") if title in tables]
        parts = [table[table.prompt != table.target].assign(value=lambda rows: rows.share) for table in both]
    elif outcome == "top1" and "retrieval" in tables:
        both = [tables[title] for title in ("retrieval", "control_retrieval") if title in tables]
        parts = [table[table["query"] != table.candidate].assign(value=lambda rows: rows.top1) for table in both]
    elif outcome == "distance" and "geometry" in tables:
        both = [tables[title] for title in ("geometry", "control_geometry") if title in tables]
        parts = [table[table.measure == "distance"] for table in both]
    sums: dict[tuple, list[float]] = {}
    for part in parts:
        of_draws = part.assign(condition=RANDOM)[part.match == "uniform"] if "match" in part else part
        means = of_draws.groupby(["condition", *EDIT, *(["draw"] if "draw" in part else [])], dropna=False).value.mean()
        for row in records(means.reset_index()):
            key = (row["condition"], *(None if pd.isna(row[name]) else row[name] for name in EDIT))
            sums.setdefault(key, []).append(row["value"])
    return {key: float(np.mean(found)) for key, found in sums.items()}
