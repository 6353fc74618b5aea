"""Affine edits of neurons: `z -> scale * z + shift`.

`affine_edit` is what happens to one layer, `weights` writes it there, `apply` runs a model with several; `intervention`
is the one type, a set of them; each constructor has its own file; `registry` knows them by name;
`bake` writes one into a copy of the weights. Nothing but the constructors knows which method
made an intervention.
"""

from interlingua.interventions.ablate import ablate
from interlingua.interventions.add import add
from interlingua.interventions.affine_edit import AffineEdit
from interlingua.interventions.aura import aura
from interlingua.interventions.bake import bake
from interlingua.interventions.compose import compose
from interlingua.interventions.contrastive_vector import contrastive_vector
from interlingua.interventions.dampen import dampen
from interlingua.interventions.intervention import Intervention, edited
from interlingua.interventions.layer_by_layer import layer_by_layer
from interlingua.interventions.linear_transport import linear_transport
from interlingua.interventions.mean_shift import mean_shift
from interlingua.interventions.neutralise import neutralise
from interlingua.interventions.random_control import random_control, ranked_at_random
from interlingua.interventions.registry import INTERVENTIONS, make_intervention
from interlingua.interventions.set_to_mean import set_to_mean
from interlingua.interventions.swap import swap

__all__ = [
    "INTERVENTIONS",
    "AffineEdit",
    "Intervention",
    "ablate",
    "add",
    "aura",
    "bake",
    "compose",
    "contrastive_vector",
    "dampen",
    "edited",
    "layer_by_layer",
    "linear_transport",
    "make_intervention",
    "mean_shift",
    "neutralise",
    "random_control",
    "ranked_at_random",
    "set_to_mean",
    "swap",
]
