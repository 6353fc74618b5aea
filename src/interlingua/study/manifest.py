"""What made a run, for its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from interlingua.experts import Experts
from interlingua.study.cell_store import FAILED, Record
from interlingua.study.config import StudyConfig
from interlingua.study.corpora import Corpora
from interlingua.study.model import KnownModel


def manifest_of(
    config: StudyConfig,
    known: KnownModel,
    corpora: Corpora,
    experts: Experts | None,
    records: Sequence[tuple[str, Record]],
) -> dict[str, Any]:
    """Return what made a run: versions and seconds are those of the cells, whenever they were computed.

    Args:
        config: The study.
        known: Its model.
        corpora: What was read.
        experts: What was found; None where that failed.
        records: Of each cell, with its name.
    """
    made_from = experts.made_from if experts is not None else {}
    recorded = {"tokens": made_from.get("tokens"), "truncated": made_from.get("truncated")}
    return {
        **records[0][1].versions,
        "model": {**known.identity, "mlp_neurons": known.sites[config.neurons[0]]},
        "probe": {**corpora.probe.description(), **recorded},
        "evaluation": corpora.evaluation.description(),
        "seed": config.seed,
        "cells": len(records),
        "compiled_cells": sum(record.compiled for _, record in records),
        "seconds": round(sum(record.seconds for _, record in records), 1),
        "failed": [{"cell": name, "error": record.error} for name, record in records if record.state == FAILED],
    }
