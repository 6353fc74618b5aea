"""Affine edits of neurons: `z -> scale * z + shift`.

`intervention` holds the one type; each constructor is a file of its own and makes that type; `apply` runs a model with
it, `bake` writes it into the weights. Nothing but the constructors knows which method made an intervention.
"""

from interlingua.interventions.bake import bake
from interlingua.interventions.intervention import AffineEdit, Intervention
from interlingua.interventions.random_control import random_control
from interlingua.interventions.set_to_mean import set_to_mean

__all__ = ["AffineEdit", "Intervention", "bake", "random_control", "set_to_mean"]
