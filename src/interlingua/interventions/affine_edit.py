"""An affine edit of outputs or inputs of one linear layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from interlingua.valid import require_array


@dataclass(frozen=True)
class AffineEdit:
    """What happens to some outputs, or inputs, of one linear layer: `z -> scale * z + shift`.

    Attributes:
        units: Which of them, ascending, each once: int64 [n].
        scale: float32 [n]; where it is 0, the unit is set to `shift` whatever it was.
        shift: float32 [n].
    """

    units: np.ndarray
    scale: np.ndarray
    shift: np.ndarray

    def check(self) -> None:
        """Raise unless it is what its attributes say.

        Raises:
            ValueError: It is not.
        """
        shape = (self.units.size,)
        require_array("units", self.units, shape, integers=True, low=0)
        require_array("scale", self.scale, shape)
        require_array("shift", self.shift, shape)
        if (np.diff(self.units) <= 0).any():
            raise ValueError("'units' do not ascend, each once")

    def joined(self, other: AffineEdit) -> AffineEdit:
        """Return both edits as one; they have no unit in common."""
        units = np.concatenate([self.units, other.units])
        order = np.argsort(units)
        scale, shift = np.concatenate([self.scale, other.scale]), np.concatenate([self.shift, other.shift])
        return AffineEdit(units[order], scale[order], shift[order])
