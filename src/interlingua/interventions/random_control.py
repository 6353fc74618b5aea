"""The control: an intervention's edits, moved to random neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua.errors import InputError
from interlingua.experts.finders import random as random_finder
from interlingua.interventions.intervention import Intervention

if TYPE_CHECKING:
    from interlingua.experts import Experts
    from interlingua.models import NeuronIndex


def random_control(
    original: Intervention, neurons: NeuronIndex, seed: int = 0, *, matched: bool = False
) -> Intervention:
    """Apply an intervention's edits to as many neurons drawn from the whole network.

    Source: Sundar et al. 2025, section 7.

    "We assign the activation levels of the language expert neurons used in prior sections to the same number of neurons
    chosen randomly in the network." They are drawn uniformly without replacement; experts may be among them.

    Args:
        original: The intervention to control for.
        neurons: The index of the model's neurons.
        seed: Of the draw.
        matched: Draw as many in each linear layer as the original edits there, and keep its edits in that layer. This
            controls for where in the network the experts lie as well.

    Returns:
        As many edited neurons, with the original's scales and shifts.

    Raises:
        InputError: The original belongs to other neurons.

    Example:
        Of `experts` of six neurons:

        >>> from interlingua.interventions import set_to_mean
        >>> control = random_control(set_to_mean(experts, "Spanish", k=2), experts.neurons, seed=0)
        >>> neurons, scale, shift = control.by_neuron(experts.neurons)
        >>> neurons.tolist(), scale.tolist(), shift.tolist()
        ([3, 4], [0.0, 0.0], [3.5, 9.0])
    """
    if original.fingerprint != neurons.fingerprint:
        raise InputError("the intervention to control for belongs to a model with other neurons")
    generator = np.random.default_rng(seed)
    ids, scale, shift = original.by_neuron(neurons)
    if matched:
        drawn = np.empty_like(ids)
        for i, (first, beyond) in enumerate(zip(neurons.offsets[:-1], neurons.offsets[1:], strict=True)):
            inside = (first <= ids) & (ids < beyond)
            units = neurons.linears[i].units
            drawn[inside] = first + generator.choice(units, size=int(inside.sum()), replace=False)
    else:
        drawn = generator.choice(len(neurons), size=len(ids), replace=False)
    return Intervention.of_neurons(
        neurons,
        drawn,
        scale=scale,
        shift=shift,
        kind=f"random control of {original.kind}",
        parameters={**original.parameters, "seed": seed, "matched": matched},
    )


def ranked_at_random(experts: Experts, seed: int = 0) -> Experts:
    """Return experts whose order is drawn at random: what is made of them edits random neurons by their own statistics.

    A control without the values of other neurons: `set_to_mean` of it sets random neurons to *their own* mean on the
    target. `random_control` moves the experts' values to neurons that may never have them, which can destroy a model.

    Args:
        experts: The experts.
        seed: Of the order, one for each language.

    Example:
        Of `experts` of six neurons:

        >>> from interlingua.interventions import set_to_mean
        >>> neurons, _, shift = set_to_mean(ranked_at_random(experts, 1), "Spanish", k=2).by_neuron(experts.neurons)
        >>> bool((shift == experts.statistics.mean[experts.row("Spanish"), neurons]).all())
        True
    """
    return experts.with_ranking(f"random {seed}", random_finder(experts.scores, seed))
