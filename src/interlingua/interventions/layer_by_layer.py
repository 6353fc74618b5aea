"""Make an edit layer after layer, each from the responses of a model whose earlier layers are edited already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from interlingua.interventions.intervention import Intervention, edited
from interlingua.interventions.registry import make_intervention
from interlingua.models.neurons import NeuronIndex

if TYPE_CHECKING:
    from interlingua.corpora import ParallelCorpus
    from interlingua.experts import Experts
    from interlingua.models import LanguageModel

READ_AS = {
    "pooling": "pooling",
    "special_tokens": "special_tokens",
    "max_length": "max_length",
    "response_type": "dtype",
}
"""What decides the responses to a probe, besides the model: what experts remember, and which argument of `find_experts`
it was."""


def layer_by_layer(
    model: LanguageModel,
    probe: ParallelCorpus,
    experts: Experts,
    target: str,
    k: int,
    *,
    kind: str = "linear-transport",
) -> Intervention:
    """Edit the top k experts of a language with statistics that are taken anew in each layer.

    Source: Linear-AcT as published (Rodriguez et al. 2024, section 3.2), whose maps are estimated one layer after the
    other, since an edit changes what the layers above are given. The constructors estimate all in one pass.

    Args:
        model: The model as it is.
        probe: The probing set; it is read once for each layer that holds an expert.
        experts: They say which neurons are edited: the same as by the one-pass form.
        target: The language to steer to.
        k: How many experts.
        kind: A name in `INTERVENTIONS` that takes k.

    Returns:
        The edit of all layers.

    Example:
        With a `model` and a `probe` of six sentences in four languages:

        >>> from interlingua.experts import find_experts
        >>> edit = layer_by_layer(model, probe, find_experts(model, probe), "Spanish", 20)
        >>> edit.kind, len(edit)
        ('linear-transport layer by layer', 20)
    """
    from interlingua.experts import find_experts  # here, since it imports torch

    chosen, linears, offsets = experts.top(target, k), experts.neurons.linears, experts.neurons.offsets
    layers = experts.neurons.locate(chosen).layer
    read_as = {argument: experts.made_from[name] for name, argument in READ_AS.items() if name in experts.made_from}
    edit: Intervention | None = None
    for layer in sorted(set(layers)):
        held = [i for i, linear in enumerate(linears) if linear.layer == layer]
        ids = np.concatenate([np.arange(offsets[i], offsets[i + 1]) for i in held])
        part = replace(model, neurons=NeuronIndex(tuple(linears[i] for i in held)))
        with edited(model, edit):
            found = find_experts(part, probe, **read_as)
        wanted = np.isin(ids, chosen)
        ranked = found.with_ranking(experts.ranked_by, np.tile(wanted.astype(np.float64), (len(found.languages), 1)))
        here = make_intervention(kind, ranked, target, {"k": int(wanted.sum())})
        edits = {**(edit.edits if edit else {}), **here.edits}
        parameters = {**experts.made_from, "target": here.parameters["target"], "k": k}
        edit = Intervention(edits, experts.neurons.fingerprint, f"{kind} layer by layer", parameters)
    return edit or Intervention({}, experts.neurons.fingerprint, f"{kind} layer by layer")
