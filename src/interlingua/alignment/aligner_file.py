"""What the file of an aligner must hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, NonNegativeInt

from interlingua.artifact import Artifact, damaged
from interlingua.measures.scoring import Scoring
from interlingua.valid import require_array


class MadeFrom(BaseModel):
    """What an aligner says that it is made from, at least."""

    model: str
    revision: str | None
    dtype: str
    neurons: str


class EditFields(BaseModel):
    """What an aligner says of its intervention."""

    kind: str
    parameters: dict[str, Any]


class AlignerFields(BaseModel):
    """What the manifest of an aligner has; what older ones do not name had one value then, which is the default."""

    languages: list[str]
    layers: list[NonNegativeInt] = Field(min_length=1)
    sif: list[NonNegativeInt] = []
    scoring: Scoring = "cosine"
    final_norm: bool = False
    special_tokens: bool = True
    made_from: MadeFrom
    edit: EditFields | None = None


def require_arrays(folder: Path, artifact: Artifact) -> None:
    """Raise unless the arrays of an aligner have the shapes that its description says.

    Raises:
        ArtifactError: They have not.
    """
    arrays, languages = artifact.arrays, len(artifact.description["languages"])
    try:
        means, matrices = arrays["means"], arrays["matrices"]
        dimensions = means.shape[-1] if means.ndim else 0
        require_array("means", means, (languages, dimensions))
        outputs = matrices.shape[1] if matrices.ndim == 3 else dimensions
        require_array("matrices", matrices, (languages if len(matrices) > 1 else 1, outputs, dimensions))
        if "within" in arrays:
            for name in ("within", "between"):
                require_array(name, arrays[name], (outputs, outputs))
        if artifact.description.get("sif"):
            require_array("token_weights", arrays["token_weights"], (arrays["token_weights"].size,), low=0)
        if "edit" in artifact.description:
            size = (arrays["edit_neurons"].size,)
            require_array("edit_neurons", arrays["edit_neurons"], size, integers=True, low=0)
            for name in ("edit_scale", "edit_shift"):
                require_array(name, arrays[name], size)
    except (KeyError, ValueError) as error:
        raise damaged(folder, error.args[0]) from None
