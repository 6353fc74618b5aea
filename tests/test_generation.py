"""Generation: settings that do not leak in, seeds, files of texts, and sampling as the model's probabilities say."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import GenerationConfig, LogitsProcessorList

import interlingua as il
from conftest import count_hooks, make_model
from interlingua.errors import InputError
from interlingua.measures import write_texts
from interlingua.measures.sampling import Sampler, Sampling

LEAKS = {
    "repetition_penalty": 50.0,
    "no_repeat_ngram_size": 1,
    "suppress_tokens": list(range(3, 150)),
    "min_new_tokens": 6,
    "do_sample": True,
    "temperature": 0.01,
    "top_k": 1,
    "typical_p": 0.1,
    "forced_eos_token_id": 5,
    "num_beams": 4,
}


@pytest.mark.parametrize("setting", LEAKS)
def test_a_checkpoints_generation_config_does_not_count(setting):
    model = make_model("llama")
    texts = il.generate(model, n=4, seed=1, max_new_tokens=12)
    config = GenerationConfig(eos_token_id=1, pad_token_id=2, bos_token_id=0, **{setting: LEAKS[setting]})
    model.hf.generation_config = config
    assert il.generate(model, n=4, seed=1, max_new_tokens=12) == texts
    assert model.hf.generation_config is config


def test_the_checkpoints_end_token_counts():
    model = make_model("llama")
    long = il.generate(model, n=6, seed=1, max_new_tokens=12)
    model.hf.generation_config.eos_token_id = list(range(3, 259))
    short = il.generate(model, n=6, seed=1, max_new_tokens=12)
    assert max(map(len, short)) <= 1 < max(map(len, long))


def test_seeds_are_a_table_of_texts(llama, bars):
    table = il.generate_seeds(llama, 3, [5, 1], max_new_tokens=6)
    assert [(bar.total, bar.seen) for bar in bars.shown] == [(3, [0, 3])] * 2
    assert table.columns.tolist() == ["seed", "index", "text"]
    assert table.seed.tolist() == [5, 5, 5, 1, 1, 1]
    for seed in (5, 1):
        assert table[table.seed == seed].text.tolist() == il.generate(llama, 3, seed=seed, max_new_tokens=6)
    with pytest.raises(InputError, match="at least one seed"):
        il.generate_seeds(llama, 3, [])


def test_texts_are_the_same_whatever_n_and_the_batches(any_model, monkeypatch):
    texts = il.generate(any_model, n=5, seed=1, max_new_tokens=12)
    assert il.generate(any_model, n=3, seed=1, max_new_tokens=12) == texts[:3]
    monkeypatch.setattr("interlingua.measures.generation.BATCH_SIZE", 2)
    assert il.generate(any_model, n=5, seed=1, max_new_tokens=12) == texts
    assert il.generate(any_model, n=5, seed=2, max_new_tokens=12) != texts
    assert len(set(texts)) > 1


def test_sampling_follows_the_models_probabilities(llama):
    """The first byte of 3,000 texts against the softmax of the logits, by a chi-squared test."""
    from scipy.stats import chisquare

    with torch.no_grad():
        logits = llama.hf(torch.tensor([[0]])).logits[0, -1].double()
    top = logits.topk(50).indices
    probabilities = torch.softmax(logits[top], 0)
    seeds = il.generate(llama, n=3000, seed=3, max_new_tokens=1, top_p=1.0)
    words = [llama.tokenizer.decode([token], skip_special_tokens=True) for token in top.tolist()]
    # Bytes that are not text on their own all decode to U+FFFD, and special tokens to nothing: count them together.
    observed, expected = {}, {}
    for word, probability in zip(words, probabilities.tolist(), strict=True):
        expected[word] = expected.get(word, 0) + probability * len(seeds)
    for text in seeds:
        observed[text] = observed.get(text, 0) + 1
    assert set(observed) <= set(expected)
    assert chisquare([observed.get(word, 0) for word in expected], list(expected.values())).pvalue > 1e-4


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 300), st.floats(0.05, 1.0), st.none() | st.floats(0, 0.9), st.booleans()
)
def test_the_word_chosen_is_that_of_transformers_warpers_over_all_words(seed, top_k, top_p, min_p, ties):
    """Noise added to what is left of all words chooses the same as noise on the likeliest, ties too."""
    scores = torch.randn(3, 211, generator=torch.Generator().manual_seed(seed)) * 3
    if ties:  # which of the tied falls to `top_p` is a sort's whim
        scores, top_p, min_p = scores.round(), 1.0, None
    sampling = Sampling(top_k=top_k, top_p=top_p, min_p=min_p, temperature=0.7)
    left = LogitsProcessorList(sampling.warpers())(None, scores.clone())
    generators = [[torch.Generator().manual_seed(seed + row) for row in range(3)] for _ in range(2)]
    uniform = torch.stack([torch.rand(211, generator=generator) for generator in generators[0]])
    expected = (left - torch.log(-torch.log(uniform))).argmax(dim=1)
    found = Sampler(sampling, generators[1])(None, scores.clone())
    assert found.argmax(dim=1).tolist() == expected.tolist()


def test_generation_needs_a_text_and_a_token(llama):
    with pytest.raises(InputError, match="at least one text, one token"):
        il.generate(llama, n=0)


def test_texts_are_kept_as_json_lines(tmp_path):
    texts = pd.DataFrame({"seed": 0, "index": range(3), "text": ["El gato duerme en la casa.", "a\nb", ""]})
    table = texts.join(il.identify(list(texts.text)).table())
    write_texts(tmp_path / "texts.jsonl", table)
    lines = (tmp_path / "texts.jsonl").read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines[:-1]]
    assert lines[-1] == ""
    assert [row["text"] for row in rows] == ["El gato duerme en la casa.", "a\nb", ""]
    assert (rows[0]["language"], rows[2]["language"], rows[2]["posterior"]) == ("spa_Latn", None, 0.0)
    assert rows[0]["posterior"] == pytest.approx(table.posterior[0])
    assert [path.name for path in tmp_path.iterdir()] == ["texts.jsonl"]
    with pytest.raises(InputError, match=r"should end in \.jsonl"):
        write_texts(tmp_path / "texts.txt", table)


def test_an_interrupted_file_is_as_it_was(tmp_path, monkeypatch):
    table = pd.DataFrame({"text": ["new"]})
    (tmp_path / "texts.jsonl").write_text("old")

    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("json.dumps", stop)
    with pytest.raises(KeyboardInterrupt):
        write_texts(tmp_path / "texts.jsonl", table)
    assert (tmp_path / "texts.jsonl").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_interrupt_leaves_the_model_as_it_was():
    model = make_model("llama")
    config, hooks = model.hf.generation_config, count_hooks(model)
    calls = []

    def stop(module, inputs):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with model.hf.get_output_embeddings().register_forward_pre_hook(stop), pytest.raises(KeyboardInterrupt):
        il.generate(model, n=2, max_new_tokens=8)
    assert model.hf.generation_config is config
    assert count_hooks(model) == hooks


def test_a_steered_model_writes_other_texts(llama):
    from test_interventions import some_edit

    before = il.generate(llama, n=4, seed=0, max_new_tokens=8)
    with some_edit(llama, "mixed", shift=True).applied_to(llama):
        assert il.generate(llama, n=4, seed=0, max_new_tokens=8) != before
    assert il.generate(llama, n=4, seed=0, max_new_tokens=8) == before


def test_the_noise_of_a_text_is_its_own():
    from interlingua.measures.generation import _stream

    streams = {_stream(seed, row) for seed in range(8) for row in range(256)}
    assert len(streams) == 2048
    first = [torch.rand(1, generator=torch.Generator().manual_seed(stream)).item() for stream in sorted(streams)]
    assert np.mean(first) == pytest.approx(0.5, abs=0.03)


def test_prompts_are_continued_each_as_if_alone(any_model):
    model = any_model
    prompts = ["el gato", "a dog barks", "el gato", "猫"]
    together = il.generate(model, prompts=prompts, max_new_tokens=6, seed=3)
    assert len(together) == 4
    assert len(il.generate(model, 2, prompts=prompts, max_new_tokens=2)) == 8
    greedy = {"max_new_tokens": 6, "top_k": 1}
    for prompt, text in zip(prompts, il.generate(model, prompts=prompts, **greedy), strict=True):
        tokens = model.tokenizer(prompt, return_tensors="pt")
        written = model.hf.generate(**tokens, max_new_tokens=6, do_sample=False)[0, tokens["input_ids"].shape[1] :]
        assert text == model.tokenizer.decode(written, skip_special_tokens=True)
    with pytest.raises(InputError, match="a prompt of 201"):
        il.generate(model, prompts=["a" * 200], max_new_tokens=100)
    with pytest.raises(InputError, match="put the one in brackets"):
        il.generate(model, prompts="el gato")


@pytest.mark.parametrize("setting", [{}, {"repetition_penalty": 5.0}])
def test_without_sampling_it_is_transformers_own_greedy_search(any_model, setting):
    model, prompt = any_model, "el gato"
    tokens = model.tokenizer(prompt, return_tensors="pt")
    theirs = model.hf.generate(**tokens, max_new_tokens=10, do_sample=False, **setting)[0, tokens.input_ids.shape[1] :]
    (ours,) = il.generate(model, prompts=[prompt], max_new_tokens=10, do_sample=False, **setting)
    assert ours == model.tokenizer.decode(theirs, skip_special_tokens=True)
    assert len(il.generate(model, max_new_tokens=2, do_sample=False)) == 1
    with pytest.raises(InputError, match="2 texts from one start are the same"):
        il.generate(model, 2, do_sample=False)


def test_min_p_leaves_the_tokens_that_transformers_leaves(llama):
    with torch.no_grad():
        probabilities = torch.softmax(llama.hf(torch.tensor([[0]])).logits[0, -1], 0)
    kept = {llama.tokenizer.decode([i]) for i in (probabilities >= 0.5 * probabilities.max()).nonzero()[:, 0].tolist()}
    written = il.generate(llama, 200, max_new_tokens=1, top_p=1.0, top_k=300, min_p=0.5)
    assert set(written) <= kept | {""}
    assert not set(il.generate(llama, 200, max_new_tokens=1, top_p=1.0, top_k=300)) <= kept | {""}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"temperature": 0}, "temperature must be above 0"),
        ({"top_p": float("nan")}, "top_p above 0"),
        ({"min_p": 1.5}, "min_p must lie between 0 and 1"),
        ({"repetition_penalty": 0}, "repetition_penalty must be above 0"),
        ({"chat": True}, "give a prompt"),
        ({"streamer": object()}, "takes one text, and 8"),
    ],
)
def test_settings_that_cannot_be_are_named(llama, setting, message):
    with pytest.raises(InputError, match=message):
        il.generate(llama, **setting)


TEMPLATE = (
    "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}{% endfor %}{% if add_generation_prompt %} A:{% endif %}"
)


def test_a_chat_is_the_prompt_in_its_template_and_nothing_else():
    model = make_model("llama")
    with pytest.raises(InputError, match="tiny-llama has no chat template"):
        il.generate(model, prompts=["el gato"], chat=True)
    model.tokenizer.chat_template = TEMPLATE
    answers = il.generate(model, prompts=["el gato", "猫"], chat=True, max_new_tokens=8, seed=1)
    # The tokenizer itself puts <s> before a text, and the template has it already: there is one.
    assert answers == il.generate(model, prompts=["user: el gato A:", "user: 猫 A:"], max_new_tokens=8, seed=1)


def test_a_streamer_gets_what_is_returned(llama, capsys):
    from transformers import TextStreamer

    streamer = TextStreamer(llama.tokenizer, skip_prompt=True, skip_special_tokens=True)
    (text,) = il.generate(llama, prompts=["el gato"], max_new_tokens=12, streamer=streamer)
    assert capsys.readouterr().out == text + "\n"
    assert il.generate(llama, prompts=["el gato"], max_new_tokens=12) == [text]
