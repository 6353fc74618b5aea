"""The control: an intervention's edits, moved to random neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua.errors import InputError
from interlingua.interventions.intervention import Intervention

if TYPE_CHECKING:
    from interlingua.models import NeuronIndex


def random_control(original: Intervention, neurons: NeuronIndex, seed: int = 0) -> Intervention:
    """Apply an intervention's edits to as many neurons drawn from the whole network.

    Sundar et al. 2025, section 7: "we assign the activation levels of the language expert neurons to the same number
    of neurons chosen randomly in the network". Drawn uniformly without replacement; experts may be among them.

    Args:
        original: The intervention to control for.
        neurons: The index of the model's neurons.
        seed: Of the draw.

    Raises:
        InputError: The original belongs to other neurons.
    """
    if original.fingerprint != neurons.fingerprint:
        raise InputError("the intervention to control for belongs to a model with other neurons")
    edits = list(original.edits.values())
    ids = np.random.default_rng(seed).choice(len(neurons), size=len(original), replace=False)
    return Intervention.of_neurons(
        neurons,
        ids,
        scale=np.concatenate([edit.scale for edit in edits]) if edits else 0.0,
        shift=np.concatenate([edit.shift for edit in edits]) if edits else 0.0,
        kind=f"random control of {original.kind}",
        parameters={**original.parameters, "seed": seed},
    )
