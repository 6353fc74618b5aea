"""Aligning a frozen model: closed-form linear maps fitted on a parallel probe, and the choice among them.

There is one way: an `EmbeddedProbe` is searched (`search`), which gives a `Candidate` for each way that was scored on
`held_out` sentences; `choose` takes one; `Candidate.fit` returns an `Aligner`, which reads a model `cut` at the layer
that it needs. `align` does these three. `compare` does the same and sets the candidates side by side: `judge` and
`bitexts` look at other sentences, and `growth` asks how much of the probe is needed. `linear` holds what every method
returns, `methods` their names, one method a file; `blocks` what is read and `joining` how it becomes one map; `edits`
screens interventions before the map; `adapting` adapts to text without labels, and `beside` sets trained `encoders`
beside the map.
"""

from interlingua.alignment.adapting import Spread
from interlingua.alignment.align import align
from interlingua.alignment.aligner import Aligner
from interlingua.alignment.blocks import Sif
from interlingua.alignment.candidate import Candidate
from interlingua.alignment.choose import choose
from interlingua.alignment.compare import Comparison, compare
from interlingua.alignment.edits import EditGrid
from interlingua.alignment.embedded_probe import EmbeddedProbe, Reading
from interlingua.alignment.encoders import Encoder, load_encoder
from interlingua.alignment.held_out import HeldOut
from interlingua.alignment.judge import Hits, find_hits
from interlingua.alignment.linear import LinearAlignment
from interlingua.alignment.methods import METHODS, Recipe
from interlingua.alignment.mteb_encoder import MtebEncoder
from interlingua.alignment.search import search
from interlingua.alignment.settings import Settings
from interlingua.alignment.spaces import Spaces

__all__ = [
    "METHODS",
    "Aligner",
    "Candidate",
    "Comparison",
    "EditGrid",
    "EmbeddedProbe",
    "Encoder",
    "HeldOut",
    "Hits",
    "LinearAlignment",
    "MtebEncoder",
    "Reading",
    "Recipe",
    "Settings",
    "Sif",
    "Spaces",
    "Spread",
    "align",
    "choose",
    "compare",
    "find_hits",
    "load_encoder",
    "search",
]
