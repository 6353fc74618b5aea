"""What is measured on a model as it is now, or on arrays that come from one. One measure a file.

A measure knows nothing of interventions: whoever wants the steered model measured steers it first. The numbers of
several conditions are compared in `interlingua.analysis`.
"""

from interlingua.measures.bitext import bitext
from interlingua.measures.cross_space import cross_space
from interlingua.measures.embedding import Embeddings, embed, embed_layers
from interlingua.measures.generation import generate, generate_seeds, write_texts
from interlingua.measures.geometry import geometry
from interlingua.measures.identification import Identified, Identifier, identify, language_shares
from interlingua.measures.paraphrase import paraphrase
from interlingua.measures.perplexity import PerplexityResult, perplexity, token_losses
from interlingua.measures.projection import projection
from interlingua.measures.retrieval import retrieval

__all__ = [
    "Embeddings",
    "Identified",
    "Identifier",
    "PerplexityResult",
    "bitext",
    "cross_space",
    "embed",
    "embed_layers",
    "generate",
    "generate_seeds",
    "geometry",
    "identify",
    "language_shares",
    "paraphrase",
    "perplexity",
    "projection",
    "retrieval",
    "token_losses",
    "write_texts",
]
