"""Language models and their neurons.

`language_model` loads a causal LM and holds it together with its tokenizer and its neurons; `origin` says where its
checkpoint is; `packaged` and `gguf_checkpoint` make one of a GGUF file; `neurons` finds the linear layers of the MLP
blocks; `batching` turns sentences into padded batches; `compiling` compiles blocks.
"""

from typing import TYPE_CHECKING

from interlingua.lazy import imported_when_used
from interlingua.models.neurons import NeuronIndex, NeuronLinear, find_neurons

if TYPE_CHECKING:
    from interlingua.models.language_model import LanguageModel, load_model

__all__ = ["LanguageModel", "NeuronIndex", "NeuronLinear", "find_neurons", "load_model"]

__getattr__ = imported_when_used(__name__, {"LanguageModel": "language_model", "load_model": "language_model"})
