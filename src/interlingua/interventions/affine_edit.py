"""An affine edit of units of one linear layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class AffineEdit:
    """What happens to some units of one linear layer: `z -> scale * z + shift`.

    Attributes:
        units: Which outputs of the layer, ascending, each once: int64 [n].
        scale: float32 [n]; where it is 0, the unit is set to `shift` whatever it was.
        shift: float32 [n].
    """

    units: np.ndarray
    scale: np.ndarray
    shift: np.ndarray

    def joined(self, other: AffineEdit) -> AffineEdit:
        """Return both edits as one; they have no unit in common."""
        units = np.concatenate([self.units, other.units])
        order = np.argsort(units)
        scale, shift = np.concatenate([self.scale, other.scale]), np.concatenate([self.shift, other.shift])
        return AffineEdit(units[order], scale[order], shift[order])
