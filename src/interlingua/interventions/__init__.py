"""Affine edits of neurons: `z -> scale * z + shift`.

`intervention` holds the one type; each constructor is a file of its own and makes that type; `registry` knows them by
name; `apply` runs a model with one, `bake` writes one into the weights. Nothing but the constructors knows which method
made an intervention.
"""

from interlingua.interventions.ablate import ablate
from interlingua.interventions.aura import aura
from interlingua.interventions.bake import bake
from interlingua.interventions.compose import compose
from interlingua.interventions.contrastive_vector import contrastive_vector
from interlingua.interventions.dampen import dampen
from interlingua.interventions.intervention import AffineEdit, Intervention
from interlingua.interventions.linear_transport import linear_transport
from interlingua.interventions.mean_shift import mean_shift
from interlingua.interventions.neutralise import neutralise
from interlingua.interventions.random_control import random_control
from interlingua.interventions.registry import INTERVENTIONS, make_intervention
from interlingua.interventions.set_to_mean import set_to_mean

__all__ = [
    "INTERVENTIONS",
    "AffineEdit",
    "Intervention",
    "ablate",
    "aura",
    "bake",
    "compose",
    "contrastive_vector",
    "dampen",
    "linear_transport",
    "make_intervention",
    "mean_shift",
    "neutralise",
    "random_control",
    "set_to_mean",
]
