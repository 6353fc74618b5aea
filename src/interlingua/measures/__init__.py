"""What is measured on a model as it is now, or on arrays that come from one. One measure a file.

A measure knows nothing of interventions: whoever wants the steered model measured steers it first.
"""

from interlingua.measures.bitext import bitext
from interlingua.measures.claims import claims
from interlingua.measures.correlation import correlation
from interlingua.measures.embedding import embed
from interlingua.measures.generation import generate
from interlingua.measures.geometry import geometry, geometry_summary
from interlingua.measures.overlap import overlap
from interlingua.measures.paraphrase import paraphrase
from interlingua.measures.projection import projection
from interlingua.measures.retrieval import retrieval

__all__ = [
    "bitext",
    "claims",
    "correlation",
    "embed",
    "generate",
    "geometry",
    "geometry_summary",
    "overlap",
    "paraphrase",
    "projection",
    "retrieval",
]
