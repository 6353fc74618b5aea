"""Write an intervention into the weights of a copy of a model."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua.errors import ModelError
from interlingua.interventions.weights import can_be_baked, write_edit
from interlingua.models.neurons import INPUTS

if TYPE_CHECKING:
    from interlingua.interventions.intervention import Intervention
    from interlingua.models import LanguageModel


def bake(model: LanguageModel, intervention: Intervention) -> LanguageModel:
    """Return a copy of a model whose weights hold the intervention.

    An edited layer that has no bias gets one, unless the edit only scales. The copy needs nothing from interlingua to
    run, at no cost per token. Its `save_pretrained` writes a checkpoint, whose config and card say what was baked
    (`baked_interventions`).

    Args:
        model: The model as it is now; it stays so. Inside `applied_to`, the copy has that edit too.
        intervention: Made for this model.

    Returns:
        A copy of the model, which shares nothing with it but its tokenizer and index.

    Raises:
        ArtifactError: The intervention was made for a model with other neurons.
        ModelError: An edited layer is quantised, offloaded or wrapped, or a value is too large for its type.

    Example:
        With a `model` and a `probe` of six sentences in four languages:

        >>> from interlingua.experts import find_experts
        >>> from interlingua.interventions import set_to_mean
        >>> from interlingua.measures import embed
        >>> edit = set_to_mean(find_experts(model, probe), "Spanish", k=50)
        >>> with edit.applied_to(model):
        ...     steered = embed(model, ["Llueve."])
        >>> np.allclose(embed(bake(model, edit), ["Llueve."]), steered)
        True
    """
    from interlingua.models.checkpoint import baked_interventions  # which imports torch

    intervention.require_fits(model)
    if getattr(model.hf.config, "pretraining_tp", 1) > 1 and getattr(model.hf.config, "slow_but_exact", False):
        raise ModelError(
            f"{model.name} has pretraining_tp > 1 and slow_but_exact, so that its layers skip their biases; set "
            "pretraining_tp to 1"
        )
    for name in intervention.edits:
        if not can_be_baked(model.hf.get_submodule(_module(name))):
            raise ModelError(
                f"{name} is quantised, offloaded or wrapped, so that nothing can be baked into its weights; load the "
                "model in full precision, merge an adapter (merge_and_unload), or steer by hooks (applied_to)"
            )
    baked = replace(model, hf=copy.deepcopy(model.hf))
    baked.hf.config.baked_interventions = [*baked_interventions(baked.hf.config), intervention.record()]
    for name, edit in intervention.edits.items():
        write_edit(baked.hf.get_submodule(_module(name)), edit, name.endswith(INPUTS))
    return baked


def _module(name: str) -> str:
    return name.removesuffix(INPUTS)
