"""All numbers, the config and the tokenizer tell models apart, and the code that decides them tells results apart."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import interlingua as il
from conftest import make_model
from interlingua.code_version import code_of, results_version
from interlingua.models.identity import tokenizer_hash, weights_hash
from interlingua.study import StudyConfig

MODEL = make_model("gpt2")
NAMES = [name for name, _ in MODEL.hf.named_parameters()]


@given(st.sampled_from(NAMES), st.integers(0, 2**31), st.booleans())
def test_any_one_number_tells_weights_apart(name, place, by_data):
    parameter = dict(MODEL.hf.named_parameters())[name]
    before = weights_hash(MODEL.hf)
    assert weights_hash(MODEL.hf) == before
    numbers = (parameter.data if by_data else parameter.detach()).view(-1)
    at = place % len(numbers)
    kept = numbers[at].clone()
    numbers[at] = torch.nextafter(kept, torch.tensor(9.0))
    try:
        assert weights_hash(MODEL.hf) != before
    finally:
        numbers[at] = kept
    assert weights_hash(MODEL.hf) == before


def test_equal_weights_have_equal_hashes_and_a_config_or_a_tokenizer_tells_models_apart():
    model, again = make_model("llama"), make_model("llama")
    assert model.identity() == again.identity()
    again.hf.config.rms_norm_eps = 0.5
    assert {key for key, value in again.identity().items() if value != model.identity()[key]} == {"config"}
    tokenizer = again.tokenizer
    kept = tokenizer_hash(tokenizer)
    tokenizer(["a", "b c d"], truncation=True, max_length=2, padding=True)
    assert tokenizer_hash(tokenizer) == kept, "the latest call decides nothing"
    tokenizer.padding_side = {"left": "right", "right": "left"}[tokenizer.padding_side]
    assert tokenizer_hash(tokenizer) != kept


@pytest.mark.slow
def test_a_folder_that_was_overwritten_with_other_weights_is_another_model(tmp_path, corpus_folder):
    """Eight neurons are set to 30, which no sample of 256 numbers a parameter need have seen."""
    model = make_model("gpt2")
    model.save_pretrained(tmp_path / "model")
    config = StudyConfig(
        model=str(tmp_path / "model"), corpus=str(corpus_folder), k=[5], measures=["retrieval", "geometry"]
    )
    first = il.run_study(config, tmp_path / "run").tables["geometry"]
    with torch.no_grad():
        for linear in model.neurons.linears[:8]:
            model.hf.get_submodule(linear.name).bias[3] = 30
    model.save_pretrained(tmp_path / "model")
    second = il.run_study(config, tmp_path / "run").tables["geometry"]
    fresh = il.run_study(config, tmp_path / "fresh").tables["geometry"]
    assert not first.equals(second)
    assert second.equals(fresh)


def test_the_key_of_a_cell_holds_the_code_that_decides_results(monkeypatch):
    from interlingua.study.plan import Cell

    key = Cell("retrieval", {"layer": 1}).key
    assert Cell("retrieval", {"layer": 1}).key == key
    monkeypatch.setattr("interlingua.study.plan.results_version", lambda: "another")
    assert Cell("retrieval", {"layer": 1}).key != key
    assert results_version() != "another"


def test_comments_and_docstrings_decide_nothing_and_code_does():
    one = 'def f(x):\n    """Double."""\n    return 2 * x  # twice\n'
    assert code_of(one) == code_of("def f(x):\n    return 2 * x\n")
    assert code_of(one) != code_of("def f(x):\n    return 3 * x\n")
