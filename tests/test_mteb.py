"""mteb's own bitext mining on our embeddings, against our retrieval on the same pairs."""

import numpy as np
import pytest

import interlingua as il

pytest.importorskip("mteb")
datasets = pytest.importorskip("datasets")
pytestmark = pytest.mark.slow

LANGUAGES = ("spa_Latn", "por_Latn", "ita_Latn")


class OurModel:
    """What mteb calls an encoder: our embeddings behind its protocol."""

    def __init__(self, model):
        from mteb.models import ModelMeta

        self.model = model
        self.mteb_model_meta = ModelMeta.create_empty({"name": "interlingua/tiny", "revision": "0"})

    def encode(self, inputs, *, task_metadata, hf_split, hf_subset, prompt_type=None, **kwargs):
        return il.embed(self.model, [text for batch in inputs for text in batch["text"]])

    def similarity(self, queries, candidates):
        queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
        return queries @ (candidates / np.linalg.norm(candidates, axis=1, keepdims=True)).T

    def similarity_pairwise(self, queries, candidates):
        return np.diagonal(self.similarity(queries, candidates))


def bitext_task(corpus):
    """Return an mteb task of all ordered pairs of a corpus's languages, read from memory."""
    from mteb.abstasks.task_metadata import TaskMetadata
    from mteb.abstasks.text.bitext_mining import AbsTaskBitextMining

    pairs = {
        f"{a}-{b}": [a.replace("_", "-"), b.replace("_", "-")]
        for a in corpus.languages for b in corpus.languages if a != b
    }  # fmt: skip

    class StarterBitextMining(AbsTaskBitextMining):
        metadata = TaskMetadata(
            name="StarterBitextMining",
            description="Sentences of the bundled corpus.",
            dataset={"path": "interlingua/starter", "revision": "0"},
            type="BitextMining",
            eval_splits=["test"],
            eval_langs=pairs,
            main_score="f1",
        )
        parallel_subsets = True

        def load_data(self, **kwargs):
            self.dataset = {"test": datasets.Dataset.from_dict({code: list(corpus[code]) for code in corpus.languages})}
            self.data_loaded = True

    return StarterBitextMining()


def test_mtebs_bitext_mining_gives_our_accuracy_and_f1(llama):
    corpus = il.open_corpus("starter").parallel("devtest", languages=LANGUAGES, limit=40)
    scores = bitext_task(corpus).evaluate(OurModel(llama), split="test", encode_kwargs={"batch_size": 16})
    table = il.retrieval({code: il.embed(llama, corpus[code]) for code in LANGUAGES})
    table = table[table["query"] != table.candidate]
    assert len(scores) == len(table) == 6
    for row in table.itertuples():
        theirs = scores[f"{row.query}-{row.candidate}"]
        assert row.top1 == pytest.approx(theirs["accuracy"], abs=1e-12)
        assert row.f1 == pytest.approx(theirs["f1"], abs=1e-12)
        assert 0 < row.f1 < row.top1 < 1  # or else the comparison is empty
