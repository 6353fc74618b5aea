"""The aligner that a search leads to: what it encodes, keeps and refuses."""

import numpy as np
import pytest

import interlingua as il
from interlingua.alignment.cut import cut
from interlingua.alignment.edits import EditGrid
from interlingua.alignment.embedded_probe import EmbeddedProbe
from interlingua.alignment.methods import Recipe
from interlingua.alignment.search import search
from interlingua.alignment.settings import Settings
from interlingua.errors import ArtifactError, InputError


def unit(vectors):
    return vectors / np.sqrt((vectors**2).sum(axis=1, keepdims=True))


def test_a_cut_model_has_the_hidden_states_of_the_whole_one(any_model, corpus):
    for layer in range(3):
        shorter = cut(any_model, layer)
        np.testing.assert_array_equal(
            il.embed(shorter, corpus["jpn_Jpan"], layer=layer), il.embed(any_model, corpus["jpn_Jpan"], layer=layer)
        )
    assert len(cut(any_model, 0).neurons) < len(any_model.neurons)
    with pytest.raises(InputError, match="between 0 and 2"):
        cut(any_model, 3)


@pytest.mark.parametrize("special_tokens", [False, True])
def test_an_aligner_is_the_same_after_a_folder(llama, corpus, tmp_path, special_tokens):
    aligner = il.align(llama, corpus, folds=2, methods=["centring", "wccn"], edits=None, special_tokens=special_tokens)
    encoded = aligner.encode(corpus["spa_Latn"])
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(encoded, axis=1), 1, rtol=1e-6)
    aligner.save_pretrained(tmp_path / "aligner")
    again = il.Aligner.from_pretrained(tmp_path / "aligner", model=llama)
    np.testing.assert_array_equal(again.encode(corpus["spa_Latn"]), encoded)
    assert again.made_from == aligner.made_from
    states = [
        il.embed(llama, corpus["spa_Latn"], layer=layer, special_tokens=special_tokens) for layer in aligner.layers
    ]
    np.testing.assert_allclose(unit(aligner.alignment.apply(np.concatenate(states, axis=1))), encoded, atol=1e-6)


def test_an_aligner_refuses_another_model(llama, family_models, corpus, tmp_path):
    il.align(llama, corpus, folds=2, layers=[1], methods=["centring"], edits=None).save_pretrained(tmp_path / "aligner")
    with pytest.raises(ArtifactError, match="made for tiny-llama"):
        il.Aligner.from_pretrained(tmp_path / "aligner", model=family_models["bloom"])


def test_an_edit_is_part_of_the_aligner_and_of_its_folder(any_model, tmp_path):
    probe = il.open_corpus("starter").parallel("dev", languages=["en", "es", "ja"], limit=20)
    grid = EditGrid(kinds=("set-to-mean",), k=(30,), strengths=(1.0,), targets=("es",), sentences=8)
    settings = Settings(layers=(1,), methods=("centring",), edits=grid)
    found = search(EmbeddedProbe(any_model, probe, tmp_path, folds=3, seed=0), settings)
    aligner = next(candidate for candidate in found.candidates if candidate.reading.edit != "none").fit()
    experts = il.find_experts(any_model, grid.parts(probe)[1])
    sentences = probe["jpn_Jpan"]
    with il.set_to_mean(experts, "es", 30).applied_to(any_model):
        states = il.embed(any_model, sentences, layer=1, special_tokens=False)
    assert np.abs(states - il.embed(any_model, sentences, layer=1, special_tokens=False)).max() > 1e-3
    np.testing.assert_allclose(aligner.encode(sentences), unit(aligner.alignment.apply(states)), atol=1e-5)
    aligner.save_pretrained(tmp_path / "aligner")
    again = il.Aligner.from_pretrained(tmp_path / "aligner", model=any_model)
    np.testing.assert_array_equal(again.encode(sentences), aligner.encode(sentences))
    assert again.edit.kind == "set-to-mean"


def test_an_aligner_needs_no_language_and_one_with_language_means_warns_without_it(llama, corpus):
    options = {"folds": 2, "layers": [1], "methods": ["centring"], "edits": None}
    free = il.align(llama, corpus, **options)
    assert np.ptp(free.alignment.means, axis=0).max() == 0
    with_means = il.Aligner(free.model, (1,), Recipe("centring", (1,), True).fit(
        {1: {code: il.embed(llama, corpus[code], layer=1, special_tokens=False) for code in corpus.languages}}), {}
    )  # fmt: skip
    with pytest.warns(UserWarning, match="much worse without the language"):
        with_means.encode(["el gato"])
