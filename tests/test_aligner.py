"""The aligner that a search leads to: what it encodes, keeps and refuses."""

import hashlib
import json

import numpy as np
import pytest
from safetensors.numpy import save_file

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


def write_old_folder(folder, model, *, layers, language_means=False, edit=None, **said):
    """Write an aligner as 0.1 wrote it, by hand: a map of all layers together, and what that version said of it."""
    random, size = np.random.default_rng(0), 32 * len(layers)
    arrays = {"means": random.normal(size=(2, size)), "matrices": random.normal(size=(1, size, size))}
    if not language_means:
        arrays["means"][1] = arrays["means"][0]
    if edit is not None:
        arrays |= {f"edit_{name}": np.array([value]) for name, value in edit.items()}
        said["edit"] = {"kind": "set-to-mean", "parameters": {"target": "spa_Latn", "k": 1}}
    folder.mkdir()
    save_file(arrays, folder / "aligner.safetensors")
    made_from = {"recipe": "wccn", "held_out_top1": 0.5, **{key: model.identity()[key] for key in ("model", "revision",
                 "dtype", "neurons")}, "corpus": "tiny"}  # fmt: skip
    manifest = {
        "artifact": "aligner",
        "interlingua": "0.1.0",
        "sha256": hashlib.sha256((folder / "aligner.safetensors").read_bytes()).hexdigest(),
        "languages": ["eng_Latn", "spa_Latn"],
        "layers": layers,
        **said,
        "made_from": made_from,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return arrays


@pytest.mark.parametrize(
    ("layers", "said", "special_tokens"),
    [
        ([1], {}, True),  # the first, before scorings and final norms
        ([0, 1], {"scoring": "csls", "final_norm": False}, True),  # before special tokens could be left out
        ([1], {"scoring": "cosine", "final_norm": True, "special_tokens": True}, True),
        ([0, 2], {"scoring": "cosine", "final_norm": False, "special_tokens": False}, False),  # the last of 0.1
    ],
)
@pytest.mark.parametrize("language", [None, "spa_Latn"])
def test_folders_of_old_versions_still_load(llama, corpus, tmp_path, layers, said, special_tokens, language):
    options = {"layers": layers, "language_means": language is not None, **said}
    arrays = write_old_folder(tmp_path / "old", llama, **options)
    aligner = il.Aligner.from_pretrained(tmp_path / "old", model=llama)
    assert (aligner.scoring, aligner.sif, aligner.spread) == (said.get("scoring", "cosine"), (), None)
    sentences = corpus["spa_Latn"]
    read = cut(llama, 1, final_norm=True) if said.get("final_norm") else llama
    states = [il.embed(read, sentences, layer=layer, special_tokens=special_tokens) for layer in layers]
    mapped = (np.concatenate(states, axis=1) - arrays["means"][1]) @ arrays["matrices"][0].T
    np.testing.assert_allclose(aligner.encode(sentences, language), unit(mapped), atol=1e-6)
    aligner.save_pretrained(tmp_path / "new")
    again = il.Aligner.from_pretrained(tmp_path / "new", model=llama)
    np.testing.assert_array_equal(again.encode(sentences, language), aligner.encode(sentences, language))
    with pytest.raises(InputError, match="does not know how its probe varied"):
        aligner.adapt({"es": sentences})
    centred = aligner.adapt({"es": sentences}, self_training=False).encode(sentences, "es")
    states = np.concatenate(states, axis=1)
    np.testing.assert_allclose(centred, unit((states - states.mean(axis=0)) @ arrays["matrices"][0].T), atol=1e-5)


def test_the_edit_of_an_old_folder_is_applied(llama, corpus, tmp_path):
    said = {"scoring": "cosine", "final_norm": False, "special_tokens": False}
    edit = {"neurons": 5, "scale": np.float32(0.0), "shift": np.float32(9.0)}
    arrays = write_old_folder(tmp_path / "old", llama, layers=[1], edit=edit, **said)
    aligner = il.Aligner.from_pretrained(tmp_path / "old", model=llama)
    first = llama.neurons.linears[0]

    def overwrite(module, inputs, output):
        output[..., 5] = 9.0

    sentences = corpus["jpn_Jpan"]
    plain = il.embed(llama, sentences, layer=1, special_tokens=False)
    hook = llama.hf.get_submodule(first.name).register_forward_hook(overwrite)
    states = il.embed(llama, sentences, layer=1, special_tokens=False)
    hook.remove()
    assert np.abs(states - plain).max() > 1e-3
    mapped = (states - arrays["means"][0]) @ arrays["matrices"][0].T
    np.testing.assert_allclose(aligner.encode(sentences), unit(mapped), atol=1e-5)
