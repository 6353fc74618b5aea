"""The names that examples in docstrings use without making them; each example says in words what they are."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports the Hub's client: tests use no network

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from interlingua.experts import Experts, score_neurons
from interlingua.models import NeuronIndex, NeuronLinear

collect_ignore = ["conftest.py"]  # it has no examples, and one file of this name is collected already


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    """Return the module that makes the tests' tiny models and corpora."""
    path = Path(__file__).parents[1] / "tests" / "conftest.py"
    spec = importlib.util.spec_from_file_location("tiny", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def six_neurons() -> Experts:
    """Return experts of six neurons for three languages; the best for Spanish are neuron 1, then neuron 3."""
    neurons = NeuronIndex(
        (NeuronLinear("mlp.up_proj", 0, "up_proj", 4), NeuronLinear("mlp.down_proj", 0, "down_proj", 2, output=True))
    )
    # Two sentences a language: English, Spanish, Japanese.
    responses = np.array(
        [
            [0.0, 0.0, 5.0, 2.0, 1.0, 0.0],
            [1.0, 2.0, 6.0, 0.0, 1.0, 2.0],
            [0.0, 8.0, 1.0, 4.0, 1.0, 4.0],
            [1.0, 10.0, 2.0, 3.0, 1.0, 2.0],
            [0.0, 0.0, 1.0, 3.5, 7.0, 1.0],
            [1.0, 2.0, 2.0, 0.5, 9.0, 3.0],
        ],
        dtype=np.float32,
    )
    scores = score_neurons(responses, np.repeat(np.arange(3), 2), 3)
    made_from = {"model": "six neurons", "corpus": "two sentences"}
    languages = ("eng_Latn", "spa_Latn", "jpn_Jpan")
    activity = (responses > 0).reshape(3, 2, 6).mean(axis=1, dtype=np.float32)
    return Experts(
        languages, neurons, scores.auroc, scores.average_precision, scores.statistics, 2, made_from, activity=activity
    )


@pytest.fixture(autouse=True)
def names_of_examples(request: pytest.FixtureRequest, doctest_namespace: dict[str, object]) -> None:
    """Give examples `experts` of six neurons, and a tiny random `model` and a `probe` of six sentences to read."""
    source = getattr(getattr(request.node, "dtest", None), "docstring", None) or ""
    examples = "".join(line for line in source.splitlines() if line.lstrip().startswith((">>>", "...")))
    doctest_namespace["np"] = np
    if "experts" in examples:
        doctest_namespace["experts"] = request.getfixturevalue("six_neurons")
    if "model" in examples or "probe" in examples:
        tiny = request.getfixturevalue("tiny")
        doctest_namespace["model"] = tiny.make_model("llama")
        doctest_namespace["probe"] = tiny.il.ParallelCorpus("tiny", "dev", tiny.SENTENCES)
