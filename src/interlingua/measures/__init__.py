"""What is measured on a model as it is now, or on arrays that come from one. One measure a file.

A measure knows nothing of interventions: whoever wants the steered model measured steers it first.
"""

from interlingua.measures.embedding import embed, embed_layers
from interlingua.measures.generation import generate, generate_seeds, write_texts
from interlingua.measures.geometry import geometry
from interlingua.measures.identification import identify, language_shares
from interlingua.measures.perplexity import perplexity, token_losses
from interlingua.measures.retrieval import retrieval

__all__ = [
    "embed", "embed_layers", "generate", "generate_seeds", "geometry", "identify", "language_shares", "perplexity",
    "retrieval", "token_losses", "write_texts",
]  # fmt: skip
