"""Random neurons as a distribution: drawn as said, measured as experts are, and ranked against them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import interlingua as il
from interlingua.analysis import controls
from interlingua.analysis.evidence import unpacked
from interlingua.analysis.schema import CONTROL, DRAW
from interlingua.interventions import make_intervention, ranked_at_random
from interlingua.measures.hits import packed
from interlingua.study import StudyConfig
from interlingua.study.conditions import conditions, make_edit

CODES = ["spa_Latn", "eng_Latn", "deu_Latn", "jpn_Jpan"]


@given(st.lists(st.booleans(), min_size=1, max_size=70))
def test_packed_hits_are_unpacked(hits):
    assert unpacked({"bits": packed(np.array(hits)), "n": len(hits)}).tolist() == hits


def table_of(gain, random, drawn, seed=0):
    """Return tables of a study in which each edit changes every top-1 by a number, and every distance by its half."""
    noise = np.random.default_rng(seed).random((len(CODES), len(CODES)))
    pairs = [(a, b, 0.3 + 0.1 * noise[i, j]) for i, a in enumerate(CODES) for j, b in enumerate(CODES) if i != j]

    def rows(change, **columns):
        made = [{**columns, "query": a, "candidate": b, "n": 10, "top1": top1 + change} for a, b, top1 in pairs]
        return pd.DataFrame(made)

    def distances(change, **columns):
        made = [(a, b, 0.5 + top1 - change / 2) for a, b, top1 in pairs if a < b]
        return pd.DataFrame(made, columns=["language", "other", "value"]).assign(measure="distance", **columns)

    edit = {"target": "spa_Latn", "kind": "set-to-mean", "k": 5}
    tables = {}
    for name, make in (("retrieval", rows), ("geometry", distances)):
        original = make(0, condition="original", target=None, kind=None, k=0)
        parts = [original, make(gain, condition="steered", **edit), make(random, condition="random", **edit)]
        tables[name] = pd.concat(parts, ignore_index=True)
        further = [make(change, **edit, match=match, draw=draw) for (match, draw), change in drawn.items()]
        if further:
            tables[f"control_{name}"] = pd.concat(further, ignore_index=True)
    return tables


@settings(max_examples=30)
@given(
    st.floats(-0.2, 0.2),
    st.floats(-0.2, 0.2),
    st.dictionaries(st.tuples(st.sampled_from(["uniform", "own-mean"]), st.integers(1, 9)), st.floats(-0.2, 0.2)),
)
def test_the_rank_of_experts_among_draws_is_that_of_a_plain_count(gain, random, drawn):
    table = controls(table_of(gain, random, drawn))
    assert set(table.effect) == {"gain from the target", "gain from others", "loss of distance"}
    by_match = {"uniform": [random], "own-mean": []}
    for (match, _), change in drawn.items():
        by_match[match].append(change)
    for row in table.itertuples():
        scale = 0.5 if row.effect == "loss of distance" else 1
        values = [scale * change for change in by_match[row.match]]
        assert row.experts == pytest.approx(scale * gain)
        assert row.draws == len(values)
        assert row.mean == pytest.approx(np.mean(values))
        clear = [value for value in values if abs(value - scale * gain) > 1e-9]
        if len(clear) == len(values):  # ties are decided by rounding
            better = sum(value > scale * gain for value in values)
            assert row.p == pytest.approx((1 + better) / (len(values) + 1))
        assert 1 / (len(values) + 1) <= row.p <= 1


@settings(max_examples=10)
@given(st.lists(st.integers(-9, 9), min_size=2, max_size=6, unique=True))
def test_random_neurons_in_the_place_of_experts_are_best_as_seldom_as_chance_has_it(changes):
    """Each draw in turn is called steered, the others are the draws: one of them alone has the lowest p."""
    lowest = 0
    for i, change in enumerate(changes):
        first, *others = [other / 100 for j, other in enumerate(changes) if j != i]
        table = controls(table_of(change / 100, first, {("uniform", j + 1): other for j, other in enumerate(others)}))
        lowest += (table.set_index("effect").p["gain from others"] == 1 / len(changes)).item()
    assert lowest == 1


def test_without_random_neurons_there_is_nothing_to_compare_with():
    tables = {name: table[table.condition != "random"] for name, table in table_of(0.1, 0, {}).items()}
    assert controls(tables).empty
    assert controls({}).empty


def test_draws_have_seeds_of_their_own_and_the_first_is_the_papers_control():
    config = StudyConfig(control={"draws": 3, "match": ["uniform", "layer", "own-mean"]}, sweep={"k": []})
    drawn = [condition for condition in conditions(config) if condition.match is not None]
    names = [(condition.name, condition.match, condition.draw) for condition in drawn]
    assert names[0] == ("random", "uniform", 0)
    assert len(names) == len(set(names)) == 9
    assert all(name == CONTROL for name, *_ in names[1:])
    for match in ("uniform", "layer", "own-mean"):
        assert len({condition.seed for condition in drawn if condition.match == match}) == 3
    assert len({condition.title() for condition in drawn}) == 9
    assert not [condition for condition in conditions(StudyConfig(k=[0])) if condition.name == CONTROL]


def test_own_mean_sets_random_neurons_to_their_own_mean_on_the_target(llama, corpus):
    experts = il.find_experts(llama, corpus)
    config = StudyConfig(k=[30], control={"draws": 2, "match": ["own-mean", "layer"]}, sweep={"k": []})
    by_match = {(c.match, c.draw): c for c in conditions(config) if c.match is not None}
    row = experts.row("es")
    drawn = []
    for draw in (0, 1):
        edit = make_edit(experts, by_match["own-mean", draw])
        neurons, scale, shift = edit.by_neuron(experts.neurons)
        assert (scale == 0).all()
        np.testing.assert_array_equal(shift, experts.statistics.mean[row, neurons])
        drawn.append(set(neurons.tolist()))
    assert drawn[0] != drawn[1]
    assert drawn[0] != set(experts.top("es", 30).tolist())
    layered = make_edit(experts, by_match["layer", 1])
    expected = make_intervention("set-to-mean", experts, "es", {"k": 30})
    assert {name: len(edit.units) for name, edit in layered.edits.items()} == {
        name: len(edit.units) for name, edit in expected.edits.items()
    }


@given(st.integers(0, 1000))
def test_ranked_at_random_is_a_uniform_order(seed):
    from conftest import make_model

    experts = EXPERTS or EXPERTS.append(il.find_experts(make_model("llama"), SMALL)) or EXPERTS
    random = ranked_at_random(experts[0], seed)
    for code in random.languages:
        assert len(set(random.top(code, 40).tolist())) == 40
    np.testing.assert_array_equal(random.auroc, experts[0].auroc)


EXPERTS = []
SMALL = il.open_corpus("starter").parallel("dev", languages=["es", "en"], limit=4)


@pytest.mark.slow
def test_a_study_measures_every_draw_and_keeps_the_hits(checkpoint, corpus_folder, tmp_path):
    config = StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), k=[20], targets=["es"], dtype="float32",
        measures=["retrieval", "geometry"], control={"draws": 2, "match": ["uniform", "own-mean"]},
    )  # fmt: skip
    run = il.run_study(config, tmp_path / "run")
    tables = run.tables
    draws = tables["control_retrieval"][DRAW].drop_duplicates()
    assert sorted(zip(draws.match, draws.draw, strict=True)) == [("own-mean", 0), ("own-mean", 1), ("uniform", 1)]
    assert set(tables["controls"].match) == {"uniform", "own-mean"}
    assert (tables["controls"].draws == 2).all()
    for name, keys in (("", ["condition"]), ("control_", ["match", "draw"])):
        both = tables[f"{name}hits"].merge(tables[f"{name}retrieval"], on=[*keys, "query", "candidate"])
        assert len(both) == len(tables[f"{name}hits"])
        for row in both.itertuples():
            assert unpacked({"bits": row.bits, "n": row.n_x}).mean() == pytest.approx(row.top1)
    model = il.load_model(checkpoint, dtype="float32")
    experts = il.find_experts(model, il.open_corpus(corpus_folder).parallel())
    condition = next(c for c in conditions(config) if c.match == "own-mean" and c.draw == 1)
    evaluation = il.open_corpus(corpus_folder).parallel("devtest")
    with make_edit(experts, condition).applied_to(model):
        spaces = {code: il.embed(model, evaluation[code]) for code in evaluation.languages}
    expected = il.retrieval(spaces).set_index(["query", "candidate"]).top1
    drawn = tables["control_retrieval"].query("match == 'own-mean' and draw == 1")
    found = drawn.set_index(["query", "candidate"]).top1
    assert found.to_dict() == expected[found.index].to_dict()
    more = config.control.model_copy(update={"draws": 3})
    again = il.run_study(config.model_copy(update={"control": more}), run.folder)
    assert (again.tables["controls"].draws == 3).all()
