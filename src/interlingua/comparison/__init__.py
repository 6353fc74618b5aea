"""Past the paper: every way of aligning a frozen model side by side, chosen inside the probe and judged once.

`choose` scores the candidates by cross-validation inside the probe, `judge` looks at the evaluation split, `growth`
asks how much of the probe is needed and what carries over to languages absent from it, and `compare` does all of it.
"""

from interlingua.comparison.compare import Comparison, compare
from interlingua.comparison.settings import Settings

__all__ = ["Comparison", "Settings", "compare"]
