"""Finders: how neurons are chosen for a language, one file each, from scores and statistics of their responses.

A finder is a function from `NeuronScores` to scores, float64 [languages, neurons], of which the k highest are a
language's experts. A new one is a file with a function, and a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from interlingua.experts.finders.auroc import auroc
from interlingua.experts.finders.average_precision import average_precision
from interlingua.experts.finders.both_ends import both_ends
from interlingua.experts.finders.lape import language_specific, lape
from interlingua.experts.finders.mean_difference import mean_difference
from interlingua.experts.finders.random import random
from interlingua.experts.statistics import NeuronScores

Finder = Callable[[NeuronScores], np.ndarray]

FINDERS: Mapping[str, Finder] = {
    "auroc": auroc,
    "average-precision": average_precision,
    "both-ends": both_ends,
    "lape": lape,
    "mean-difference": mean_difference,
    "random": random,
}

NO_EVIDENCE = {"auroc": 0.5, "lape": 0.0, "mean-difference": 0.0}
"""By finder the score at or below which a neuron is none of the language's."""

NEEDS_ACTIVITY = ("lape",)
"""Finders that need to know how often a neuron is active (`find_experts(activity=True)`)."""

__all__ = [
    "FINDERS",
    "NEEDS_ACTIVITY",
    "NO_EVIDENCE",
    "Finder",
    "auroc",
    "average_precision",
    "both_ends",
    "language_specific",
    "lape",
    "mean_difference",
    "random",
]
