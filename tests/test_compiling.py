"""Blocks that torch compiles give the numbers of those that it does not; edits compile nothing anew; hooks are seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch._dynamo.utils import counters

import interlingua as il
from conftest import make_model
from interlingua.errors import InputError, ModelError
from interlingua.interventions import Intervention
from interlingua.measures.perplexity import token_losses
from interlingua.models import batching, compiling
from interlingua.models.compiling import compiled_blocks, compiled_passes, embedding_identity, is_compiled, lacks
from interlingua.models.identity import weights_hash
from interlingua.study import StudyConfig, load_config
from interlingua.study.cell_store import CellStore
from interlingua.study.corpora import load_corpora
from interlingua.study.plan import plan

needs_compiler = pytest.mark.skipif(bool(lacks("cpu")), reason=lacks("cpu"))
SENTENCES = [("el gato duerme " * 7)[:n] for n in range(4, 100, 5)]
FAMILIES = {
    "llama": {"num_hidden_layers": 4},
    "gemma3": {"num_hidden_layers": 4, "layer_types": ["sliding_attention", "full_attention"] * 2},
    "gpt2": {},
}


def edit_of(model, seed, k=40):
    chosen = np.sort(np.random.default_rng(seed).choice(len(model.neurons), k, replace=False))
    shift = np.full(k, 0.5, dtype=np.float32)
    return Intervention.of_neurons(model.neurons, chosen, scale=0.0, shift=shift, kind="test", parameters={})


def graphs():
    return counters["stats"]["unique_graphs"]


def all_layers(model):
    return np.concatenate([*il.embed_layers(model, SENTENCES).of_layer.values()], axis=1)


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_compiled_blocks_give_the_same_numbers_in_every_condition_and_compile_once(family):
    plain = make_model(family, **FAMILIES[family])
    compiled = replace(plain, compile="on")
    kept, before = weights_hash(plain.hf), graphs()
    unedited = all_layers(compiled)
    np.testing.assert_allclose(unedited, all_layers(plain), rtol=1e-5, atol=1e-5)
    once = graphs()
    assert before < once <= before + 2, "not each of the blocks"
    for seed in (0, 1):
        with edit_of(plain, seed).applied_to(plain):
            edited = all_layers(compiled)
            np.testing.assert_allclose(edited, all_layers(plain), rtol=1e-5, atol=1e-5)
        assert np.abs(edited - unedited).max() > 0.01
    with edit_of(plain, 0, k=0).applied_to(plain):
        np.testing.assert_array_equal(all_layers(compiled), unedited)
    np.testing.assert_array_equal(all_layers(compiled), unedited)
    assert graphs() == once, "no edit is compiled"
    assert compiled_passes(compiled) == 5

    with edit_of(plain, 0).applied_to(plain, how="hooks"):
        np.testing.assert_array_equal(all_layers(compiled), all_layers(plain))
    assert compiled_passes(compiled) == 5, "a hook would go unseen"

    assert weights_hash(plain.hf) == kept
    assert not is_compiled(plain.hf)

    if family != "gemma3":  # which has both kinds of attention that perplexity replaces
        return
    with edit_of(plain, 0).applied_to(plain):
        losses = [token_losses(model, " ".join(SENTENCES), max_length=64, stride=24) for model in (compiled, plain)]
    np.testing.assert_allclose(*losses, rtol=1e-5, atol=1e-5)
    assert compiled_passes(compiled) == 6


@pytest.fixture
def long(monkeypatch):
    """All work is long enough to compile, and there is all that it needs."""
    monkeypatch.setattr(compiling, "WORTH", 0)
    monkeypatch.setattr(compiling, "lacks", lambda device: "")


def test_auto_compiles_long_work_and_says_what_decides(long, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function, **options: function)
    model = replace(make_model("llama", seed=3), compile="auto")
    assert embedding_identity(model) == {**model.identity(), "compile": "auto"}
    parameters = sum(weight.numel() for block in model.blocks for weight in block.parameters())
    tokens = sum(len(ids) for ids in model.tokenizer(SENTENCES)["input_ids"])
    monkeypatch.setattr(compiling, "WORTH", tokens * parameters)
    il.embed(model, SENTENCES[1:])
    assert compiled_passes(model) == 0
    il.embed(model, SENTENCES)
    assert compiled_passes(model) == 1
    with compiled_blocks(model, tokens) as long_enough, compiled_blocks(model, 1) as inside:
        assert (long_enough, inside) == (True, True)
    with compiled_blocks(model, 1) as too_short:
        assert not too_short


@pytest.mark.parametrize(("dtype", "larger"), [(torch.bfloat16, True), (torch.float32, False)])
def test_compiled_blocks_in_half_precision_read_larger_batches(dtype, larger, long, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function, **options: function)
    monkeypatch.setattr(batching, "TOKEN_BUDGET", {"cpu": 1})
    plain, sizes = make_model("llama", dtype, seed=3), []
    compiled = replace(plain, compile="on")
    il.embed(compiled, SENTENCES[:1])  # whose trial reads a batch of its own
    with plain.body.register_forward_pre_hook(
        lambda _, args, given: sizes.append(len(given["input_ids"])), with_kwargs=True
    ):
        il.embed(plain, SENTENCES)
        assert sizes == [1] * len(SENTENCES)
        il.embed(compiled, SENTENCES)
    assert (len(sizes) < 2 * len(SENTENCES)) == larger


def broken(function, **options):
    raise RuntimeError("no such file: g++")


def wrong(function, **options):
    return lambda *given, **named: function(*given, **named) + 1


@pytest.mark.parametrize(("compiler", "reason"), [(broken, "no such file: g++"), (wrong, "of their length away")])
def test_what_fails_or_gives_other_numbers_runs_as_it_is(compiler, reason, long, monkeypatch, said):
    monkeypatch.setattr(torch, "compile", compiler)
    plain = make_model("llama", seed=4)
    kept = weights_hash(plain.hf)
    auto = replace(plain, compile="auto")
    for _ in range(2):
        np.testing.assert_array_equal(il.embed(auto, SENTENCES), il.embed(plain, SENTENCES))
    assert [line for line in said if reason in line] == said[1:], "once, and not as a warning"
    assert compiled_passes(auto) == 0
    with pytest.raises(ModelError, match=rf"{reason}.*use compile off"):
        il.embed(replace(plain, compile="on"), SENTENCES)
    assert weights_hash(plain.hf) == kept
    assert not is_compiled(plain.hf)


@pytest.mark.slow
def test_a_compiler_that_fails_leaves_the_model_as_it_is(long, monkeypatch, said, tmp_path):
    torch._dynamo.reset()
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    plain = make_model("gpt2", seed=8)
    auto = replace(plain, compile="auto")
    with torch._inductor.config.patch({"cpp.cxx": (None, "false")}):
        np.testing.assert_array_equal(il.embed(auto, SENTENCES), il.embed(plain, SENTENCES))
    assert "could not be compiled" in said[-1]
    assert compiled_passes(auto) == 0


def test_without_a_compiler_nothing_is_compiled_and_on_says_so(monkeypatch):
    monkeypatch.setattr(compiling, "WORTH", 0)
    monkeypatch.setenv("CXX", "no-such-compiler")
    lacks.cache_clear()
    plain = make_model("llama", seed=5)
    try:
        auto = replace(plain, compile="auto")
        np.testing.assert_array_equal(il.embed(auto, SENTENCES), il.embed(plain, SENTENCES))
        assert embedding_identity(auto)["compile"] == "off"
        for use in (embedding_identity, lambda model: il.embed(model, SENTENCES)):
            with pytest.raises(InputError, match=r"no C\+\+ compiler \(`no-such-compiler`\); use compile off"):
                use(replace(plain, compile="on"))
    finally:
        lacks.cache_clear()


def test_mixtures_of_experts_run_as_they_are(long):
    auto = replace(make_model("mixtral"), compile="auto")
    np.testing.assert_array_equal(il.embed(auto, SENTENCES), il.embed(replace(auto, compile="off"), SENTENCES))
    assert embedding_identity(auto)["compile"] == "off"
    with pytest.raises(InputError, match="its blocks hold a"):
        il.embed(replace(auto, compile="on"), SENTENCES)


def test_an_unknown_way_to_compile_is_refused(checkpoint):
    with pytest.raises(InputError, match="unknown compile 'yes'; use auto, on, off"):
        il.load_model(checkpoint, compile="yes")


def logits(model):
    with torch.inference_mode():
        return model.hf(input_ids=torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]])).logits.numpy()


def responses(model):
    return il.record_responses(model, SENTENCES).values


def compile_it(model, part):
    if part == "forward":
        for block in model.blocks:
            block.forward = torch.compile(block.forward, backend="eager", dynamic=True)
    for module in {"model": [model.hf], "blocks": model.blocks}.get(part, []):
        module.compile(backend="eager", dynamic=True)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["model", "blocks", "forward"])
def test_a_model_that_its_user_compiled_is_recorded_and_steered_as_if_it_were_not(part, long):
    torch._dynamo.reset()
    plain = make_model("llama", seed=6)
    own = replace(make_model("llama", seed=6), compile="auto")
    compile_it(own, part)
    before = graphs()
    np.testing.assert_allclose(logits(own), logits(plain), rtol=1e-5, atol=1e-5)
    assert graphs() > before, "it runs compiled"
    for how in ("weights", "hooks"):
        for measured in (responses, all_layers, logits):
            with edit_of(plain, 0).applied_to(plain, how=how), edit_of(own, 0).applied_to(own, how=how):
                np.testing.assert_allclose(measured(own), measured(plain), rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(measured(own), measured(plain), rtol=1e-5, atol=1e-5)
    assert compiled_passes(own) == 0
    assert embedding_identity(own)["compile"] == "off"


def test_hooks_are_seen_however_steering_contexts_are_left():
    torch._dynamo.reset()
    model, plain = make_model("llama", seed=7), make_model("llama", seed=7)
    compile_it(model, "blocks")
    unsteered = logits(model)
    contexts = [edit_of(model, seed).applied_to(model, how="hooks") for seed in (0, 1)]
    for context in contexts:
        context.__enter__()
    contexts[0].__exit__(None, None, None)
    with edit_of(plain, 1).applied_to(plain, how="hooks"):
        np.testing.assert_array_equal(logits(model), logits(plain))
    contexts[1].__exit__(None, None, None)
    np.testing.assert_array_equal(logits(model), unsteered)


def test_what_torch_compile_wraps_is_loaded_as_the_model_in_it():
    model = make_model("llama")
    assert il.load_model((torch.compile(model.hf), model.tokenizer)).hf is model.hf


def test_a_study_takes_on_and_off_without_quotes(tmp_path):
    for way in ("on", "off", "auto"):
        (tmp_path / "study.yaml").write_text(f"compile: {way}\n")
        assert load_config(tmp_path / "study.yaml").compile == way
    (tmp_path / "study.yaml").write_text("compile: 1\n")
    with pytest.raises(InputError, match="compile: Input should be 'auto', 'on' or 'off'"):
        load_config(tmp_path / "study.yaml")


def test_only_cells_that_may_be_compiled_have_it_in_their_key():
    corpora = load_corpora(config := StudyConfig(languages=["es", "de"], limit=4))
    keys = [{cell.name: cell.key for cell in plan(config, {"compile": way}, corpora)} for way in ("auto", "off")]
    alike = {name.partition(",")[0] for name in keys[0] if keys[0][name] == keys[1][name]}
    assert alike == {"experts", "expert statistics", "texts", "generation"}


def test_the_record_of_a_cell_says_whether_it_was_compiled(checkpoint, corpus_folder, tmp_path, long, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function, **options: function)
    config = StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), dtype="float32", k=[5], measures=["geometry", "generation"],
        generation={"texts": 2, "max_new_tokens": 2}, compile="on",
    )  # fmt: skip

    def records():
        return {record.name: record for _, record in CellStore(tmp_path).states()}

    tables = il.run_study(config, tmp_path).tables
    compiled = {name for name, record in records().items() if record.compiled}
    assert {name.partition(",")[0] for name in compiled} == {"embeddings", "space"}
    begun = records()["experts"].started
    plain = il.run_study(config.model_copy(update={"compile": "off"}), tmp_path)
    assert not any(record.compiled for record in records().values())
    assert records()["experts"].started == begun, "experts are those of the run before"
    np.testing.assert_allclose(
        tables["geometry"].select_dtypes("number"), plain.tables["geometry"].select_dtypes("number"), rtol=1e-4
    )
