"""Aligning a frozen model: closed-form linear maps fitted on a parallel probe, one method a file.

`linear` holds what every method returns, `methods` their names, `selection` the choice by cross-validation inside the
probe. `align` does all of it for a model and returns an `Aligner`, which reads a model `cut` at the layer it needs.
"""

from interlingua.alignment.align import align
from interlingua.alignment.aligner import Aligner
from interlingua.alignment.methods import METHODS, Recipe
from interlingua.alignment.selection import evaluate, mean_top1

__all__ = ["METHODS", "Aligner", "Recipe", "align", "evaluate", "mean_top1"]
