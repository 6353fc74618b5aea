"""Several interventions as one."""

from __future__ import annotations

import numpy as np

from interlingua.errors import InputError
from interlingua.interventions.affine_edit import AffineEdit
from interlingua.interventions.intervention import Intervention


def compose(first: Intervention, *others: Intervention) -> Intervention:
    """Return the one edit that does what these do one after the other.

    Args:
        first: Done first.
        others: Done after it, in this order, to the same model.

    Returns:
        On units that both edit, scale `s2 * s1` and shift `s2 * b1 + b2`.

    Raises:
        InputError: They belong to different models.

    Example:
        >>> from interlingua.models import NeuronIndex, NeuronLinear
        >>> neurons = NeuronIndex((NeuronLinear("up_proj", 0, "up_proj", 4),))
        >>> plus_1 = Intervention.of_neurons(neurons, np.array([0, 1]), scale=1.0, shift=1.0)
        >>> times_2 = Intervention.of_neurons(neurons, np.array([1, 2]), scale=2.0, shift=0.0)
        >>> both = compose(plus_1, times_2).edits["up_proj"]
        >>> both.units.tolist(), both.scale.tolist(), both.shift.tolist()
        ([0, 1, 2], [1.0, 2.0, 2.0], [1.0, 2.0, 0.0])
    """
    result = first
    for other in others:
        if other.fingerprint != result.fingerprint:
            raise InputError("interventions on different models cannot be composed")
        edits = dict(result.edits)
        for name, edit in other.edits.items():
            edits[name] = _after(edits[name], edit) if name in edits else edit
        parameters = {"first": _made_by(result), "then": _made_by(other)}
        result = Intervention(edits, result.fingerprint, f"{result.kind} + {other.kind}", parameters)
    return result


def _after(first: AffineEdit, then: AffineEdit) -> AffineEdit:
    units = np.union1d(first.units, then.units)
    scale, shift = np.ones(len(units), np.float32), np.zeros(len(units), np.float32)
    for edit in (first, then):
        at = np.searchsorted(units, edit.units)
        scale[at], shift[at] = edit.scale * scale[at], edit.scale * shift[at] + edit.shift
    return AffineEdit(units, scale, shift)


def _made_by(intervention: Intervention) -> dict[str, object]:
    return {"kind": intervention.kind, **intervention.parameters}
