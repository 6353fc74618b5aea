"""What is measured on a model as it is now, or on arrays that come from one. One measure a file.

A measure knows nothing of interventions: whoever wants the steered model measured steers it first.
"""

from interlingua.measures.embedding import embed
from interlingua.measures.generation import generate
from interlingua.measures.geometry import geometry
from interlingua.measures.retrieval import retrieval

__all__ = ["embed", "generate", "geometry", "retrieval"]
