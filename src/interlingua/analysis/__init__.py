"""What the tidy tables of a study say: gains, correlations, the sweep, the claims, and the paper's numbers.

Analysis takes tables only. It runs no model and imports no torch, so a published run can be analysed anywhere.
"""

from interlingua.analysis.claims import claims, claims_by_target
from interlingua.analysis.controls import controls
from interlingua.analysis.correlation import correlation
from interlingua.analysis.gains import gains
from interlingua.analysis.geometry_summary import geometry_summary
from interlingua.analysis.grid import grid, main_effects
from interlingua.analysis.landing import landing, landing_and_gain
from interlingua.analysis.overlap import overlap
from interlingua.analysis.perplexity_matrix import perplexity_matrix
from interlingua.analysis.published import published, published_values
from interlingua.analysis.summary import behaviour, summary
from interlingua.analysis.sweep import sweep

__all__ = [
    "behaviour",
    "claims",
    "claims_by_target",
    "controls",
    "correlation",
    "gains",
    "geometry_summary",
    "grid",
    "landing",
    "landing_and_gain",
    "main_effects",
    "overlap",
    "perplexity_matrix",
    "published",
    "published_values",
    "summary",
    "sweep",
]
