"""The experts: recorded and ranked once, for all targets."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from interlingua.analysis import overlap
from interlingua.experts import Experts, find_experts, remove_recording
from interlingua.study.cells.work import Work


def record_experts(work: Work, folder: Path, recording: Path) -> None:
    """Find the experts of every probed language and save them in a folder; a recording that was stopped goes on."""
    parameters = work.parameters
    experts = find_experts(
        work.model.at(parameters["site"]),
        work.corpora.probe,
        pooling=parameters["pooling"],
        special_tokens=parameters["special_tokens"],
        max_length=parameters["max_length"],
        folder=recording,
        activity=parameters["activity"],
    )
    experts.save_pretrained(folder)
    remove_recording(recording)


def describe_experts(work: Work) -> dict[str, pd.DataFrame]:
    """Return how good the top k experts are, how they spread over the network, and how many languages share."""
    found: Experts = work.needs["experts"]
    numbers, finder = work.parameters["k"], work.parameters["finder"]
    experts = found.rank_by(finder)
    summary = pd.concat([experts.summary(k) for k in numbers], ignore_index=True)
    shared = pd.concat([experts.overlap(k) for k in numbers], ignore_index=True)
    tables = {
        "experts": summary,
        "overlap": shared,
        "overlap_summary": overlap(shared, summary, neurons=len(experts.neurons)),
        "spread": pd.concat([experts.spread(k) for k in numbers], ignore_index=True),
    }
    if work.parameters["first"]:
        return tables
    combination = {"finder": finder, "neurons": work.parameters["site"]}
    return {f"further_{name}": table.assign(**combination) for name, table in tables.items()}
