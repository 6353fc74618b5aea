"""The one type of intervention: affine edits of the units of a model's linear layers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel

from interlingua.artifact import Artifact, HubArtifact, damaged, load_artifact, save_artifact
from interlingua.errors import ArtifactError, InputError
from interlingua.interventions.affine_edit import AffineEdit
from interlingua.models.card import as_list, card, plain_facts, shown_name
from interlingua.models.neurons import INPUTS, SITES
from interlingua.models.terms import terms_of

if TYPE_CHECKING:
    from interlingua.interventions.apply import How
    from interlingua.models import LanguageModel, NeuronIndex


class InterventionFields(BaseModel):
    """What the manifest of an intervention has."""

    neurons: str
    kind: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Intervention(HubArtifact):
    """An affine edit of neurons of a model.

    Attributes:
        edits: For each edited linear layer, by its path in the model, what happens to its outputs; to its inputs where
            the path ends in `.inputs`.
        fingerprint: Of the neuron index that the edits belong to.
        kind: The method that made it, for example `set-to-mean`.
        parameters: What the method was given, for manifests.

    Example:
        >>> from interlingua.models import NeuronIndex, NeuronLinear
        >>> neurons = NeuronIndex((NeuronLinear("mlp.up_proj", 0, "up_proj", 4),))
        >>> edit = Intervention.of_neurons(neurons, np.array([3, 1]), scale=0.0, shift=np.array([9.0, 7.0]))
        >>> edit.edits["mlp.up_proj"].units.tolist(), edit.edits["mlp.up_proj"].shift.tolist()
        ([1, 3], [7.0, 9.0])
        >>> half = edit.with_strength(0.5)
        >>> half.edits["mlp.up_proj"].scale.tolist(), half.edits["mlp.up_proj"].shift.tolist()
        ([0.5, 0.5], [3.5, 4.5])
    """

    edits: Mapping[str, AffineEdit]
    fingerprint: str
    kind: str = "custom"
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_neurons(
        cls,
        neurons: NeuronIndex,
        ids: np.ndarray,
        *,
        scale: np.ndarray | float,
        shift: np.ndarray | float,
        kind: str = "custom",
        parameters: Mapping[str, Any] | None = None,
    ) -> Intervention:
        """Make the edit of some neurons, given by their numbers in the index.

        Neurons whose edit changes nothing (scale 1, shift 0) are left out, so that such an intervention leaves a
        model's output bitwise equal.

        Args:
            neurons: The index of the model's neurons.
            ids: Numbers of neurons in any order, each once: int [n].
            scale: [n], or one number for all.
            shift: [n], or one number for all.
            kind: The method that makes it.
            parameters: What the method was given.

        Raises:
            InputError: A neuron is named twice or does not exist, or a number is not finite.
        """
        scale = np.broadcast_to(np.asarray(scale, dtype=np.float32), ids.shape)
        shift = np.broadcast_to(np.asarray(shift, dtype=np.float32), ids.shape)
        if len(np.unique(ids)) != len(ids):
            raise InputError("an intervention names a neuron twice")
        if len(ids) and not (ids.min() >= 0 and ids.max() < len(neurons)):
            raise InputError(f"an intervention names a neuron outside 0 ... {len(neurons) - 1}")
        if not (np.isfinite(scale).all() and np.isfinite(shift).all()):
            raise InputError("an intervention's scale and shift must be finite numbers")
        changing = np.flatnonzero((scale != 1) | (shift != 0))
        order = changing[np.argsort(ids[changing])]
        ids, scale, shift = ids[order].astype(np.int64), scale[order], shift[order]
        edits: dict[str, AffineEdit] = {}
        for linear, units, positions in neurons.by_linear(ids):
            edit = AffineEdit(linear.start + units, scale[positions], shift[positions])
            earlier = edits.get(linear.place)  # the other half of a fused layer
            edits[linear.place] = earlier.joined(edit) if earlier else edit
        return cls(edits, neurons.fingerprint, kind, dict(parameters or {}))

    def by_neuron(self, neurons: NeuronIndex) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the edit as `of_neurons` takes it: numbers of neurons ascending, their scale and their shift."""
        ids, scale, shift = [np.empty(0, np.int64)], [np.empty(0, np.float32)], [np.empty(0, np.float32)]
        for i, linear in enumerate(neurons.linears):
            edit = self.edits.get(linear.place)
            if edit is not None:
                inside = (linear.start <= edit.units) & (edit.units < linear.start + linear.units)
                ids.append(neurons.offsets[i] + edit.units[inside] - linear.start)
                scale.append(edit.scale[inside])
                shift.append(edit.shift[inside])
        return np.concatenate(ids), np.concatenate(scale), np.concatenate(shift)

    def only(
        self, neurons: NeuronIndex, *, layers: Sequence[int] | None = None, modules: Sequence[str] | None = None
    ) -> Intervention:
        """Return the edit restricted to some layers, or to some kinds of linear layers, or both.

        Its parameters `layers` and `modules` say which of these an edit still reaches; those that are not named here
        stay as they are.

        Args:
            neurons: The index of the model's neurons.
            layers: Numbers of blocks.
            modules: Kinds of linear layers, for example `["up_proj"]`.

        Raises:
            InputError: The model has no such layer or kind.
        """
        for given, known in (
            (layers, {x.layer for x in neurons.linears}),
            (modules, {x.kind for x in neurons.linears}),
        ):
            absent = [str(item) for item in given or () if item not in known]
            if absent:
                raise InputError(f"the model has no {', '.join(absent)}; it has {', '.join(map(str, sorted(known)))}")
        ids, scale, shift = self.by_neuron(neurons)
        where = neurons.locate(ids)
        kept = np.ones(len(ids), dtype=bool)
        if layers is not None:
            kept &= where.layer.isin(layers).to_numpy()
        if modules is not None:
            kept &= where.module.isin(modules).to_numpy()
        parameters = dict(self.parameters)
        for name, given in (("layers", layers), ("modules", modules)):
            if given is not None:
                earlier = parameters.get(name) or given
                parameters[name] = [item for item in given if item in earlier]
        return Intervention.of_neurons(
            neurons, ids[kept], scale=scale[kept], shift=shift[kept], kind=self.kind, parameters=parameters
        )

    def __len__(self) -> int:
        return sum(len(edit.units) for edit in self.edits.values())

    def with_strength(self, strength: float) -> Intervention:
        """Return the edit part of the way: scale `1 - s + s * scale`, shift `s * shift`; `s = 0` changes nothing."""
        if not 0 <= strength <= 1:
            raise InputError(f"strength must lie between 0 and 1, not {strength}")
        done = strength * self.parameters.get("strength", 1.0)
        edits = {}
        for name, edit in self.edits.items() if strength else ():
            scale = 1 - strength + strength * edit.scale.astype(np.float64)
            edits[name] = AffineEdit(
                edit.units,
                scale.astype(np.float32),
                (strength * edit.shift.astype(np.float64)).astype(np.float32),
            )
        return Intervention(edits, self.fingerprint, self.kind, {**self.parameters, "strength": done})

    def content_hash(self) -> str:
        """Return the SHA-256 of what the edit does, whoever made it."""
        digest = hashlib.sha256(self.fingerprint.encode())
        for name, part, array in self._arrays():
            digest.update(f"{name}/{part}".encode() + array.tobytes())
        return digest.hexdigest()

    def applied_to(self, model: LanguageModel, how: How = "auto") -> AbstractContextManager[None]:
        """Return a context in which the model runs with this edit; it is as before on leaving, also after an error.

        Args:
            model: The model that the edit was made for.
            how: `weights` keeps the edit in the layers' weights, at no cost per token; `hooks` edits their outputs;
                `auto` takes weights where the layer is a plain one in memory, and hooks where it is not.

        Raises:
            ArtifactError: The model's neurons are not the ones that this edit was made for.
            ModelError: `weights`, and an edited layer is quantised or offloaded.
            SteeringError: On leaving, if the model ran but an edited layer did not.
        """
        from interlingua.interventions.apply import applied  # here, since it imports torch

        self.require_fits(model)
        return applied(self.edits, model, how)

    def require_fits(self, model: LanguageModel) -> None:
        """Raise unless the edit was made for a model with the same neurons, at whichever site.

        Raises:
            ArtifactError: It was not.
        """
        if self.fingerprint != model.neurons.fingerprint and not self._fits_another_site(model):
            raise ArtifactError(
                f"this intervention was made for {self.parameters.get('model', 'another model')}, whose MLP layers "
                f"have other names or sizes than those of {model.name}"
            )

    def _fits_another_site(self, model: LanguageModel) -> bool:
        return any(self.fingerprint == model.at(site).neurons.fingerprint for site in SITES)

    def _save_pretrained(self, save_directory: Path) -> None:
        arrays = {f"{name}/{part}": array for name, part, array in self._arrays()}
        description = {"kind": self.kind, "neurons": self.fingerprint, "parameters": dict(self.parameters)}
        save_artifact(save_directory, "intervention", Artifact(arrays, description), self._card())

    @classmethod
    def _read(cls, folder: Path) -> Intervention:
        artifact = load_artifact(folder, "intervention", InterventionFields)
        names = dict.fromkeys(key.rpartition("/")[0] for key in artifact.arrays)
        edits = {}
        for name in names:
            try:
                edits[name] = AffineEdit(*(artifact.arrays[f"{name}/{part}"] for part in ("units", "scale", "shift")))
                edits[name].check()
            except (KeyError, ValueError) as error:
                raise damaged(folder, f"{name}: {error.args[0]}") from None
        return cls(
            edits,
            artifact.description["neurons"],
            artifact.description["kind"],
            artifact.description["parameters"],
        )

    def _arrays(self) -> Iterator[tuple[str, str, np.ndarray]]:
        for name, edit in sorted(self.edits.items()):
            yield name, "units", edit.units
            yield name, "scale", edit.scale
            yield name, "shift", edit.shift

    def _card(self) -> str:
        model = str(self.origin.get("model", "..."))
        return card(
            f"Intervention {self.kind} on {shown_name(model)}",
            terms_of(model),
            what=f"An affine edit of {len(self):,} neurons ({self._places()}): z becomes scale * z + shift.",
            how=as_list(self.parameters),
            measured="Nothing is recorded with an edit. `interlingua study` measures what one does, with controls.",
            languages=self.targets,
            snippet=(
                f'import interlingua as il\n\nmodel = il.load_model("{shown_name(model)}")\n'
                'with il.Intervention.from_pretrained(".").applied_to(model):\n    print(il.generate(model, n=1))'
            ),
        )

    def _places(self) -> str:
        kinds = {"hidden units" if name.endswith(INPUTS) else name.rpartition(".")[2] for name in self.edits}
        return f"{', '.join(sorted(kinds)) or 'none'}, in {len(self.edits)} linear layers"

    @property
    def origin(self) -> Mapping[str, Any]:
        """What the method was given; of a composed edit, what its first was."""
        origin = self.parameters
        while isinstance(origin.get("first"), Mapping):
            origin = origin["first"]
        return origin

    @property
    def targets(self) -> tuple[str, ...]:
        """The codes of the languages that it is about, as far as its parameters name them."""
        parts = [part for name in ("first", "then") if isinstance(part := self.parameters.get(name), Mapping)]
        found = [str(part["target"]) for part in (self.parameters, *parts) if part.get("target")]
        return tuple(dict.fromkeys(found))

    def record(self) -> dict[str, Any]:
        """Return what a checkpoint says of an edit that it holds: kind, neurons, checksum, and how it was made."""
        made_from = plain_facts(self.parameters)
        return {
            "kind": self.kind,
            "edits": self._places(),
            "edited_neurons": len(self),
            "sha256": self.content_hash(),
            **made_from,
        }


def edited(model: LanguageModel, edit: Intervention | None) -> AbstractContextManager[None]:
    """Return a context in which a model runs with an edit, or as it is where there is none."""
    return nullcontext() if edit is None else edit.applied_to(model)
