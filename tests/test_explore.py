"""What the explorer does, without a page: on a tiny model, with visitors at once."""

import threading
from dataclasses import replace

import numpy as np
import pytest

import interlingua as il
from interlingua.alignment import Recipe
from interlingua.alignment.blocks import embed_blocks
from interlingua.analysis.schema import ORIGINAL, OWN_MEAN, RANDOM, STEERED, UNIFORM
from interlingua.errors import InputError
from interlingua.explore import KINDS, Choice, control_of, edit_of, open_session
from interlingua.explore.edit import CONTROLS, chosen_neurons
from interlingua.explore.exporting import commands, python_lines, save_baked, save_edit
from interlingua.explore.neighbours import (
    ALIGNED,
    Neighbours,
    Sentence,
    find_neighbours,
    read_sentences,
    share_found,
)
from interlingua.explore.neurons import answers, toggled, top_table
from interlingua.explore.session import Memory
from interlingua.explore.steering import stream
from interlingua.models.neurons import SITES
from interlingua.study.conditions import Condition, make_edit
from interlingua.study.sections import Kind

CHOICE = Choice("spa_Latn", k=20)
HOSTILE = ['<script>alert("x")</script>', "שלום עולם", "👩‍👩‍👧 🏳️‍🌈", "a" * 9_000, "\x00\ufffd", "   "]


@pytest.fixture(scope="module")
def session(llama, corpus_folder, tmp_path_factory):
    return open_session(llama, corpus=str(corpus_folder), k=20, folder=tmp_path_factory.mktemp("explored"))


def texts_of(session, choice, prompt="", **options):
    *_, last = stream(session, choice, prompt, max_new_tokens=8, **options)
    return {name: text.text for name, text in last.items()}


def test_a_session_has_experts_of_all_sites_and_the_target_first(session):
    assert session.sites == ("outputs", "inner", "hidden")
    assert session.targets[0] == "spa_Latn"
    assert set(session.targets) == set(session.probe.languages)


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_that_is_offered_can_be_made(session, kind, site):
    assert len(edit_of(session, replace(CHOICE, kind=kind, site=site))) > 0


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("kind", ["set-to-mean", "mean-shift"])
def test_controls_are_those_of_a_study(session, kind, control):
    choice = replace(CHOICE, kind=kind, control=control, strength=0.5)
    drawn = Condition("control", "spa_Latn", Kind(kind=kind, strength=0.5), k=20, seed=3, match=control)
    expected = make_edit(session.experts["outputs"], drawn)
    assert control_of(session, choice, seed=3).content_hash() == expected.content_hash()


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_edits_as_many_neurons_as_were_chosen_by_hand(session, control):
    choice = toggled(session, replace(CHOICE, control=control), int(chosen_neurons(session, CHOICE)[0]))
    assert len(control_of(session, choice)) == len(edit_of(session, choice)) == 19


@pytest.mark.parametrize("control", CONTROLS)
def test_texts_are_those_of_the_model_in_each_condition(session, llama, control):
    choice = replace(CHOICE, control=control)
    texts = texts_of(session, choice, seed=3)
    assert texts[ORIGINAL] == il.generate(llama, 1, seed=3, max_new_tokens=8)[0]
    for name, edit in ((STEERED, edit_of(session, choice)), (RANDOM, control_of(session, choice, seed=3))):
        with edit.applied_to(llama):
            assert texts[name] == il.generate(llama, 1, seed=3, max_new_tokens=8)[0]


def test_a_text_grows_while_it_is_written(session):
    seen = [texts[ORIGINAL].text for texts in stream(session, CHOICE, "two words and", seed=9, max_new_tokens=24)]
    different = list(dict.fromkeys(seen))
    assert different[-1].startswith(different[0])
    assert len(different) > 1


def test_strength_0_writes_what_the_model_writes(session):
    texts = texts_of(session, replace(CHOICE, strength=0.0), seed=4)
    assert texts[STEERED] == texts[ORIGINAL] == texts[RANDOM]


def test_visitors_at_once_do_not_steer_each_others_model(session, llama):
    choices = [replace(CHOICE, target=target, k=k) for target, k in (("spa_Latn", 60), ("jpn_Jpan", 80), ("en", 40))]
    alone = [texts_of(replace(session, memory=Memory()), choice, seed=5) for choice in choices]
    before = {name: tensor.clone() for name, tensor in llama.hf.state_dict().items()}
    together: dict[int, dict] = {}
    shared = replace(session, memory=Memory())

    def visit(number):
        together[number] = texts_of(shared, choices[number % 3], seed=5)

    visitors = [threading.Thread(target=visit, args=(number,)) for number in range(6)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(60)
    assert [together[number] for number in range(6)] == [alone[number % 3] for number in range(6)]
    assert all(tensor.equal(before[name]) for name, tensor in llama.hf.state_dict().items())


def test_who_leaves_in_the_middle_leaves_the_model_as_it_was(session):
    leaving = stream(replace(session, memory=Memory()), CHOICE, seed=6, max_new_tokens=200)
    next(leaving), next(leaving)
    leaving.close()
    assert texts_of(session, CHOICE, seed=7) == texts_of(replace(session, memory=Memory()), CHOICE, seed=7)


@pytest.mark.parametrize("prompt", [text for text in HOSTILE if len(text) < 200])
def test_any_prompt_is_continued(session, prompt):
    assert set(texts_of(session, CHOICE, prompt)) == {ORIGINAL, STEERED, RANDOM}


@pytest.mark.parametrize(
    ("choice", "prompt", "reason"),
    [
        (CHOICE, "a" * 10_000, "10,000 characters"),
        (replace(CHOICE, k=-1), "", "k must be between"),
        (replace(CHOICE, site="middle"), "", "no experts were found at the site 'middle'"),
        (replace(CHOICE, control="layer"), "", "unknown control 'layer'"),
        (replace(CHOICE, finder="guess"), "", "unknown finder"),
        (replace(CHOICE, strength=2.0), "", "strength"),
        (replace(CHOICE, added=frozenset({10**9})), "", "number"),
        (replace(CHOICE, target="deu_Latn"), "", "no experts for deu_Latn"),
    ],
)
def test_what_cannot_be_done_is_said(session, choice, prompt, reason):
    with pytest.raises(il.InterlinguaError, match=reason):
        texts_of(session, choice, prompt)


def test_neurons_by_hand_are_edited_and_no_others(session):
    top = chosen_neurons(session, CHOICE).tolist()
    outside = next(n for n in range(320) if n not in top)
    choice = toggled(session, toggled(session, CHOICE, top[0]), outside)
    index = session.experts["outputs"].neurons
    edited = edit_of(session, choice).by_neuron(index)[0].tolist()
    assert edited == sorted([*top[1:], outside])
    assert toggled(session, toggled(session, choice, top[0]), outside) == CHOICE
    table = top_table(session, choice).set_index("neuron")
    assert table.edited[outside]
    assert not table.edited[top[0]]


@pytest.mark.parametrize("site", SITES)
def test_answers_are_the_responses_of_that_neuron(session, llama, site):
    choice = replace(CHOICE, site=site)
    neuron = int(top_table(session, choice).neuron[4])
    for code, shown in answers(session, choice, neuron).responses.items():
        recorded = il.record_responses(llama.at(site), list(session.probe[code])).values[:, neuron]
        np.testing.assert_allclose(shown, recorded, rtol=1e-5)


def test_languages_that_share_a_neuron_have_it_in_their_own_top(session):
    experts = session.experts["outputs"]
    for row in top_table(session, CHOICE).itertuples():
        assert row.shared == [
            code for code in experts.languages if code != "spa_Latn" and row.neuron in experts.top(code, CHOICE.k)
        ]


def test_sentences_are_taken_apart_by_lines_and_blank_lines():
    assert read_sentences("\n\nen: one\nes: dos\n \n\nla casa es grande y blanca\n") == [
        Sentence("one", "eng_Latn", 0),
        Sentence("dos", "spa_Latn", 0),
        Sentence("la casa es grande y blanca", "spa_Latn", 1),
    ]
    assert read_sentences("xx: one\ntwo\nthree")[0].text == "xx: one"


@pytest.mark.parametrize("text", ["", "one\n\ntwo", "\n".join(["a"] * 500), "a\nb\n" + "c" * 10_001])
def test_too_few_or_too_many_sentences_are_said(text):
    with pytest.raises(InputError):
        read_sentences(text)


def test_the_nearest_is_the_nearest_by_cosine_in_each_condition(session, llama):
    sentences = read_sentences("\n".join([*HOSTILE[:4], "en: the cat sleeps", "es: el gato duerme"]))
    found = find_neighbours(session, CHOICE, sentences)
    assert list(found) == [ORIGINAL, STEERED, RANDOM, ALIGNED]
    with edit_of(session, CHOICE).applied_to(llama):
        vectors = il.embed(llama, [sentence.text for sentence in sentences])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = unit @ unit.T - 2 * np.eye(len(unit))
    assert found[STEERED].nearest.tolist() == cosine.argmax(axis=1).tolist()
    assert not np.array_equal(found[STEERED].cosine, found[ORIGINAL].cosine)
    assert all(np.isfinite(neighbours.points).all() for neighbours in found.values())


def test_an_aligner_is_told_the_languages_that_it_knows(session, llama):
    recipe = Recipe("centring", (1,), per_language=True)
    space = {1: {code: embed_blocks(llama, session.probe[code], [1])[1] for code in session.probe.languages}}
    aligner = il.Aligner(llama, recipe.layers, recipe.fit(space), {})
    sentences = read_sentences("en: the cat\nes: el gato\n\nde: die Katze")
    found = find_neighbours(replace(session, aligner=aligner), CHOICE, sentences)[ALIGNED]
    expected = np.concatenate(
        [aligner.encode(["the cat"], "en"), aligner.encode(["el gato"], "es"), aligner.encode(["die Katze"])]
    )
    cosine = expected @ expected.T - 2 * np.eye(3)
    np.testing.assert_allclose(found.cosine, cosine.max(axis=1), rtol=1e-5)


def test_only_sentences_with_a_translation_count():
    sentences = [Sentence("", "", meaning) for meaning in (0, 0, 1)]
    neighbours = Neighbours(np.array([1, 2, 0]), np.zeros(3), np.zeros((3, 2)))
    assert share_found(sentences, neighbours) == (1, 2)


def test_a_saved_edit_and_a_baked_model_do_what_the_page_did(session, llama):
    folder = save_edit(session, CHOICE, "mine")
    assert il.Intervention.from_pretrained(folder).content_hash() == edit_of(session, CHOICE).content_hash()
    baked = il.load_model(save_baked(session, CHOICE, "baked"), trust_remote_code=True, dtype="float32")
    with edit_of(session, CHOICE).applied_to(llama):
        steered = il.embed(llama, ["el gato duerme"])
    np.testing.assert_allclose(il.embed(baked, ["el gato duerme"]), steered, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["", "..", "../x", "/tmp/x", "a/b", "x\x00y", "é" * 3, "a" * 200])
def test_nothing_is_saved_outside_the_folder(session, name):
    with pytest.raises(InputError, match="is no name"):
        save_edit(session, CHOICE, name)


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("site", SITES)
def test_the_python_lines_make_the_same_edit_and_control(session, llama, monkeypatch, site, by_hand, control):
    choice = replace(CHOICE, kind="mean-shift", strength=0.5, site=site, control=control)
    if by_hand:
        outside = next(n for n in range(90) if n not in chosen_neurons(session, choice))
        choice = toggled(session, toggled(session, choice, outside), int(chosen_neurons(session, choice)[2]))
    monkeypatch.setattr(il, "load_model", lambda name, neurons="outputs": llama.at(neurons))
    names = {}
    exec(python_lines(session, choice), names)
    assert names["edit"].content_hash() == edit_of(session, choice).content_hash()
    assert names["control"].content_hash() == control_of(session, choice).content_hash()


@pytest.mark.parametrize(("site", "control"), [("outputs", UNIFORM), ("inner", OWN_MEAN)])
def test_the_commands_make_the_same_edit_and_control(session, tmp_path, monkeypatch, checkpoint, site, control):
    import shlex

    from typer.testing import CliRunner

    from interlingua.cli.commands import app

    monkeypatch.chdir(tmp_path)
    made_from = {**session.experts["outputs"].made_from, "model": str(checkpoint)}
    of_disk = {"outputs": replace(session.experts["outputs"], made_from=made_from)}
    choice = replace(CHOICE, finder="lape", site=site, control=control, strength=0.5)
    for line in commands(replace(session, experts=of_disk, memory=Memory()), choice).splitlines()[:3]:
        words = shlex.split(line)[1:]
        words += ["--dtype", "float32", "--device", "cpu"] if words[0] == "experts" else []
        assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    for name, edit in (("", edit_of(session, choice)), ("-control", control_of(session, choice))):
        saved = il.Intervention.from_pretrained(f"set-to-mean-es-k20{name}")
        assert saved.content_hash() == edit.content_hash()


def test_a_run_is_explored_with_its_own_experts(checkpoint, corpus_folder, tmp_path):
    from interlingua.explore import session_of_run

    config = il.StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), dtype="float32", device="cpu", targets=["ja"], k=[30],
        neurons=["hidden"], measures=[],
    )  # fmt: skip
    run = il.run_study(config, tmp_path)
    session = session_of_run(run, device="cpu")
    assert session.sites == ("hidden",)
    with pytest.raises(InputError, match="at the site 'inner'; use hidden"):
        session.experts_at("inner")
    assert session.targets[0] == "jpn_Jpan"
    assert session.k == 30
    assert len(edit_of(session, Choice("jpn_Jpan", site="hidden", k=session.k))) == 30


@pytest.mark.parametrize("first", ["mean", "max"])  # one of the two has the lower hash
def test_a_run_that_was_changed_is_explored_with_the_experts_of_its_last_config(
    first, checkpoint, corpus_folder, tmp_path
):
    from interlingua.explore import session_of_run

    for pooling in (first, {"mean": "max", "max": "mean"}[first]):
        config = il.StudyConfig(
            model=str(checkpoint), corpus=str(corpus_folder), dtype="float32", device="cpu", k=[30], measures=[],
            pooling=pooling,
        )  # fmt: skip
        run = il.run_study(config, tmp_path)
        assert session_of_run(run, device="cpu").experts["outputs"].made_from["pooling"] == pooling


def test_experts_of_another_model_are_refused(session, family_models):
    folder = session.folder / "experts"
    session.experts["outputs"].save_pretrained(folder)
    with pytest.raises(il.InterlinguaError, match="not in tiny-gpt2"):
        open_session(family_models["gpt2"], experts=[folder])


def test_a_run_with_another_model_is_refused_before_anything_is_loaded(tmp_path):
    from typer.testing import CliRunner

    from interlingua.cli.commands import app

    answer = CliRunner().invoke(app, ["explore", str(tmp_path), "--model", "other"])
    assert isinstance(answer.exception, InputError)
    assert "a run has its own model" in str(answer.exception)
