"""Aligning a frozen model: closed-form linear maps fitted on a parallel probe, and the choice among them.

`linear` holds what every method returns, `methods` their names, one method a file; `selection` scores them by
cross-validation inside the probe, `edits` screens interventions before the map. `align` chooses, fits and returns an
`Aligner`, which reads a model `cut` at the layer it needs. `compare` sets all ways side by side: `choose` chooses
inside the probe, `judge` and `bitexts` look at other sentences, and `growth` asks how much of the probe is needed.
"""

from interlingua.alignment.align import align
from interlingua.alignment.aligner import Aligner
from interlingua.alignment.compare import Comparison, compare
from interlingua.alignment.edits import EditGrid
from interlingua.alignment.methods import METHODS, Recipe
from interlingua.alignment.mteb_encoder import MtebEncoder
from interlingua.alignment.selection import evaluate, mean_top1
from interlingua.alignment.settings import Settings

__all__ = [
    "METHODS",
    "Aligner",
    "Comparison",
    "EditGrid",
    "MtebEncoder",
    "Recipe",
    "Settings",
    "align",
    "compare",
    "evaluate",
    "mean_top1",
]
