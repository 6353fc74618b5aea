"""Aligners in other tools: sentence-transformers loads the same vectors without code of ours, and mteb runs."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from packaging.version import Version

import interlingua as il
from conftest import FEW, make_model
from interlingua.alignment import Candidate, EmbeddedProbe, Reading, Recipe
from interlingua.alignment.cut import cut, edit_of_cut
from interlingua.alignment.encoders import encode_to_disk, load_encoder
from interlingua.errors import InputError, ModelError


@pytest.fixture(scope="module")
def probe():
    return il.open_corpus("starter").parallel("dev", languages=["en", "es", "ja"], limit=24)


def aligned(model, probe, **options):
    return il.align(model, probe, methods=["wccn"], max_blocks=1, **options)


def fitted(recipe, model, probe, folder, **reading):
    embedded = EmbeddedProbe(model, probe, folder, sif=True, folds=2, seed=0)
    return Candidate(recipe, "cosine", Reading(**reading), (1.0,), embedded).fit()


@pytest.mark.parametrize("special_tokens", [False, True])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_sentence_transformers_gives_equal_vectors(any_model, probe, tmp_path, layer, special_tokens):
    from sentence_transformers import SentenceTransformer

    aligner = aligned(any_model, probe, layers=[layer], special_tokens=special_tokens)
    aligner.save_sentence_transformer(tmp_path / "st")
    loaded = SentenceTransformer(str(tmp_path / "st"), device="cpu")
    sentences = list(probe["jpn_Jpan"][:7])
    np.testing.assert_allclose(loaded.encode(sentences), aligner.encode(sentences), atol=2e-5)
    kinds = [module["type"] for module in json.loads((tmp_path / "st" / "modules.json").read_text())]
    assert all(kind.startswith("sentence_transformers.") for kind in kinds)
    assert any(kind.endswith("WordWeights") for kind in kinds) != special_tokens
    encoder, again = load_encoder(str(tmp_path / "st")), load_encoder(str(tmp_path / "st"))
    assert encoder.identity == again.identity != load_encoder(str(tmp_path / "st"), "query: ").identity
    kept = encode_to_disk(encoder, {"ja": sentences}, tmp_path / "vectors")
    np.testing.assert_array_equal(kept["ja"], loaded.encode(sentences))


@pytest.mark.parametrize(
    ("layers", "sif", "dimensions", "special_tokens"),
    [((0, 1), (), None, True), ((0, 1, 2), (), 32, False), ((0, 2), (2, 1), 40, False), ((1,), (0,), None, True)],
)
def test_several_blocks_are_joined_by_stock_modules(
    any_model, probe, tmp_path, layers, sif, dimensions, special_tokens
):
    from sentence_transformers import SentenceTransformer

    recipe = Recipe("weighted-wccn", layers, sif=sif, dimensions=dimensions)
    aligner = fitted(recipe, any_model, probe, tmp_path / "kept", special_tokens=special_tokens)
    sentences = [*probe["jpn_Jpan"][:7], "a"]
    encoded = aligner.encode(sentences)
    assert encoded.shape == (8, dimensions or 32 * len(recipe.blocks))
    aligner.save_sentence_transformer(tmp_path / "st")
    loaded = SentenceTransformer(str(tmp_path / "st"), device="cpu")
    np.testing.assert_allclose(loaded.encode(sentences), encoded, atol=2e-5)
    assert loaded.get_embedding_dimension() == encoded.shape[1]
    kinds = [module["type"] for module in json.loads((tmp_path / "st" / "modules.json").read_text())]
    assert all(kind.startswith("sentence_transformers.") for kind in kinds)
    aligner.save_pretrained(tmp_path / "aligner")
    again = il.Aligner.from_pretrained(tmp_path / "aligner", model=any_model)
    np.testing.assert_array_equal(again.encode(sentences), encoded)
    assert again.blocks == recipe.blocks


RUN_ONNX = """
import json
import sys
import numpy as np
import onnxruntime
from tokenizers import Tokenizer
folder, texts, found = sys.argv[1:]
session = onnxruntime.InferenceSession(f"{folder}/model.onnx")
tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
def encode(texts):
    read = tokenizer.encode_batch(texts)
    inputs = {"input_ids": [x.ids for x in read], "attention_mask": [x.attention_mask for x in read]}
    return session.run(None, {name: np.array(value) for name, value in inputs.items()})[0]
texts = json.load(open(texts, encoding="utf-8"))
np.savez(found, together=encode(texts), alone=np.concatenate([encode([text]) for text in texts]))
assert "torch" not in sys.modules and "transformers" not in sys.modules
"""


@pytest.fixture
def onnx():
    pytest.importorskip("onnxscript", reason="the extra `onnx` is not installed")
    pytest.importorskip("onnxruntime")
    if Version(torch.__version__) < Version("2.13"):
        pytest.skip("the extra `onnx` needs torch 2.13")


@pytest.mark.slow
@pytest.mark.parametrize(("family", "last"), [*((family, False) for family in FEW), ("llama", True)])
def test_onnxruntime_gives_equal_vectors_without_torch(onnx, family_models, family, last, probe, tmp_path):
    recipe = Recipe("wccn", (2,)) if last else Recipe("weighted-wccn", (0, 1), sif=(0,), dimensions=40)
    aligner = fitted(recipe, family_models[family], probe, tmp_path / "kept", special_tokens=last)
    aligner.save_onnx(tmp_path / "onnx")
    texts = [*probe["jpn_Jpan"][:4], "a", "  spaces  ", "ab</s>c", "sliding windows and limits " * 20]
    (tmp_path / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    arguments = [tmp_path / "onnx", tmp_path / "texts.json", tmp_path / "found.npz"]
    subprocess.run([sys.executable, "-c", RUN_ONNX, *map(str, arguments)], check=True, timeout=300)
    expected = aligner.encode(texts)
    found = np.load(tmp_path / "found.npz")
    np.testing.assert_allclose(found["together"], expected, atol=2e-5)
    np.testing.assert_allclose(found["alone"], expected, atol=2e-5)
    snippet = (tmp_path / "onnx" / "README.md").read_text(encoding="utf-8").split("```python")[1].split("```")[0]
    printed = subprocess.run(
        [sys.executable, "-c", snippet], check=True, timeout=300, cwd=tmp_path / "onnx", capture_output=True, text=True
    )
    assert printed.stdout.strip() == f"(2, {expected.shape[1]})"


@pytest.mark.slow
def test_a_model_that_torch_cannot_export_to_onnx_is_refused_and_leaves_nothing(onnx, probe, tmp_path):
    """Routing tokens to experts is a step that the exporter does not know; one day this may pass."""
    aligner = fitted(Recipe("centring", (1,)), make_model("mixtral"), probe, tmp_path / "kept")
    with pytest.raises(ModelError, match="cannot export tiny-mixtral to ONNX"):
        aligner.save_onnx(tmp_path / "onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize("special_tokens", [False, True])
def test_a_model_in_half_precision_is_exported_so_that_it_encodes(checkpoint, probe, tmp_path, special_tokens):
    from sentence_transformers import SentenceTransformer

    model = il.load_model(checkpoint, dtype="bfloat16")
    aligner = aligned(model, probe, layers=[1], special_tokens=special_tokens)
    aligner.save_sentence_transformer(tmp_path / "st")
    sentences = list(probe["jpn_Jpan"][:5])
    loaded = SentenceTransformer(str(tmp_path / "st"), device="cpu").encode(sentences, convert_to_tensor=True).float()
    assert (loaded.numpy() * aligner.encode(sentences)).sum(axis=1).min() > 0.99


def test_a_layer_behind_the_final_norm_needs_only_the_plainest_modules(any_model, probe, tmp_path):
    from sentence_transformers import SentenceTransformer

    aligner = aligned(any_model, probe, layers=[1], final_norm=True, special_tokens=True)
    assert aligner.model.hf.config.num_hidden_layers == 1
    aligner.save_sentence_transformer(tmp_path / "st", language="ja")
    loaded = SentenceTransformer(str(tmp_path / "st"), device="cpu")
    sentences = list(probe["jpn_Jpan"][:5])
    np.testing.assert_allclose(loaded.encode(sentences), aligner.encode(sentences, "ja"), atol=2e-5)
    kinds = [module["type"].rsplit(".", 1)[-1] for module in json.loads((tmp_path / "st" / "modules.json").read_text())]
    assert kinds == ["Transformer", "Pooling", "Dense", "Normalize"]
    # What text-embeddings-inference reads (backends/src/lib.rs and router/src/lib.rs, July 2026).
    types = [module["type"] for module in json.loads((tmp_path / "st" / "modules.json").read_text())]
    assert types == [f"sentence_transformers.models.{kind}" for kind in kinds]
    dense = tmp_path / "st" / "2_Dense" / "model.safetensors"
    assert dense.stat().st_mode == (tmp_path / "st" / "modules.json").stat().st_mode, "whoever serves it can read it"
    pooling = json.loads((tmp_path / "st" / "1_Pooling" / "config.json").read_text())
    assert (pooling["pooling_mode_cls_token"], pooling["pooling_mode_mean_tokens"]) == (False, True)
    dense = json.loads((tmp_path / "st" / "2_Dense" / "config.json").read_text())
    assert dense["activation_function"] == "torch.nn.modules.linear.Identity"


FRESH = """
import sys
import numpy as np
from sentence_transformers import SentenceTransformer
for folder in sys.argv[1:]:
    texts = [line.rstrip("\\n").replace("<br>", "\\n") for line in open(f"{folder}/texts.txt", encoding="utf-8")]
    encoder = SentenceTransformer(f"{folder}/st", device="cpu")
    np.save(f"{folder}/found.npy", np.stack([encoder.encode(texts, batch_size=size) for size in (1, 3, 16)]))
assert "interlingua" not in sys.modules
"""
PADDED = {"gpt2": "left", "llama": "left", "opt": "right"}


@pytest.fixture(scope="module")
def loaded_elsewhere(probe, tmp_path_factory):
    """Return a folder with an export a family, all loaded in one fresh process, and the vectors expected of each."""
    root, expected = tmp_path_factory.mktemp("exports"), {}
    for family, side in PADDED.items():
        model = make_model(family)
        model.tokenizer.padding_side = side
        if side == "left":
            model.tokenizer.pad_token = None
            model.tokenizer.chat_template = "{% for message in messages %}user: {{ message.content }}{% endfor %}"
        aligner = aligned(model, probe, layers=[1])
        special = model.tokenizer.eos_token or model.tokenizer.bos_token or "</s>"
        texts = [*probe["spa_Latn"][:6], "a", f"el {special} gato", f"{special}{special} x", "  spaces  ", "\u200bzero"]
        aligner.save_sentence_transformer(root / family / "st")
        (root / family / "texts.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
        expected[family] = aligner.encode(texts)
        assert model.tokenizer.padding_side == side
    folders = [str(root / family) for family in PADDED]
    subprocess.run([sys.executable, "-c", FRESH, *folders], check=True, timeout=300)
    return root, expected


@pytest.mark.slow
@pytest.mark.parametrize("family", PADDED)
def test_an_export_has_its_settings_whatever_the_tokenizers_are(family, loaded_elsewhere):
    """In batches: left padding, no pad token, a chat template, special tokens."""
    root, expected = loaded_elsewhere
    for found in np.load(root / family / "found.npy"):
        np.testing.assert_allclose(found, expected[family], atol=2e-5)


def test_mteb_gets_the_vector_of_an_empty_sentence(llama, probe, tmp_path):
    pytest.importorskip("mteb")
    from sentence_transformers import SentenceTransformer

    aligner = aligned(llama, probe, layers=[1])
    batches = [{"text": ["el gato", "", "a"]}, {"text": ["  "]}]
    found = il.MtebEncoder(aligner).encode(batches)
    np.testing.assert_array_equal(found[[0, 2]], aligner.encode(["el gato", "a"]))
    aligner.save_sentence_transformer(tmp_path / "st")
    np.testing.assert_allclose(
        found[1], SentenceTransformer(str(tmp_path / "st"), device="cpu").encode([""])[0], atol=2e-5
    )
    np.testing.assert_array_equal(found[1], found[3])


@pytest.mark.parametrize("site", ["outputs", "hidden"])
def test_an_export_and_a_saved_aligner_hold_the_edit_of_any_site(site, llama, probe, tmp_path):
    """Scales and shifts alike; the edit has an effect, and both folders have it."""
    from sentence_transformers import SentenceTransformer

    model = llama.at(site)
    plain = aligned(model, probe, layers=[1])
    edit = edit_of_cut(il.set_to_mean(il.find_experts(model, probe), "es", k=40), plain.model)
    assert edit is not None, "some of the experts lie in the blocks that are kept"
    assert cut(model, 0).neurons.linears == tuple(x for x in model.neurons.linears if x.layer == 0)
    steered = replace(plain, edit=edit)
    sentences = list(probe["jpn_Jpan"][:7])
    vectors = steered.encode(sentences)
    assert np.abs(vectors - plain.encode(sentences)).max() > 1e-3
    steered.save_sentence_transformer(tmp_path / "st")
    exported = SentenceTransformer(str(tmp_path / "st"), device="cpu")
    np.testing.assert_allclose(exported.encode(sentences), vectors, atol=2e-5)
    steered.save_pretrained(tmp_path / "aligner")
    again = il.Aligner.from_pretrained(tmp_path / "aligner", model=llama)
    np.testing.assert_array_equal(again.encode(sentences), vectors)


def test_edits_that_need_code_are_refused_and_leave_nothing(family_models, probe, tmp_path):
    gemma = aligned(family_models["gemma3"], probe, layers=[1])
    experts = il.find_experts(family_models["gemma3"], probe)
    object.__setattr__(gemma, "edit", il.set_to_mean(experts, "es", 20))
    with pytest.raises(InputError, match="remote code"):
        gemma.save_sentence_transformer(tmp_path / "st")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "recipe",
    [Recipe("wccn", (1,)), Recipe("weighted-wccn", (0, 2), sif=(0,), dimensions=40)],
    ids=["one layer", "two layers and SIF in 40 dimensions"],
)
def test_mteb_scores_an_aligner_and_its_export_alike(llama, probe, tmp_path, recipe):
    pytest.importorskip("mteb")
    datasets = pytest.importorskip("datasets")
    import mteb
    from mteb.abstasks.task_metadata import TaskMetadata
    from mteb.abstasks.text.bitext_mining import AbsTaskBitextMining
    from sentence_transformers import SentenceTransformer

    judged = il.open_corpus("starter").parallel("devtest", languages=["en", "es"], limit=24)

    class TinyBitextMining(AbsTaskBitextMining):
        metadata = TaskMetadata(
            name="TinyBitextMining",
            description="Sentences of the bundled corpus.",
            dataset={"path": "interlingua/starter", "revision": "0"},
            type="BitextMining",
            eval_splits=["test"],
            eval_langs={"spa_Latn-eng_Latn": ["spa-Latn", "eng-Latn"]},
            main_score="f1",
        )
        parallel_subsets = True

        def load_data(self, **kwargs):
            self.dataset = {"test": datasets.Dataset.from_dict({code: list(judged[code]) for code in judged.languages})}
            self.data_loaded = True

    aligner = fitted(recipe, llama, probe, tmp_path / "kept")
    result = mteb.evaluate(il.MtebEncoder(aligner), TinyBitextMining(), cache=None)
    (scores,) = result.task_results[0].scores["test"]
    table = il.retrieval({code: aligner.encode(judged[code]) for code in judged.languages})
    ours = table[(table["query"] == "spa_Latn") & (table.candidate == "eng_Latn")].iloc[0]
    assert 0 < ours.top1 < 1, "a score that vectors decide"
    assert scores["accuracy"] == pytest.approx(ours.top1, abs=1e-12)
    assert scores["f1"] == pytest.approx(ours.f1, abs=1e-12)
    aligner.save_sentence_transformer(tmp_path / "st")
    exported = SentenceTransformer(str(tmp_path / "st"), device="cpu")
    (again,) = mteb.evaluate(exported, TinyBitextMining(), cache=None).task_results[0].scores["test"]
    assert (again["accuracy"], again["f1"]) == pytest.approx((scores["accuracy"], scores["f1"]), abs=1e-12)
