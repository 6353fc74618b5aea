"""Finders, each against an independent computation, and what is made of them."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.metrics import average_precision_score

import interlingua as il
from conftest import SENTENCES, make_model
from interlingua.analysis import main_effects
from interlingua.analysis.schema import edit_label
from interlingua.errors import ArtifactError, InputError
from interlingua.experts.finders import FINDERS, language_specific, lape
from interlingua.experts.record import record_poolings
from interlingua.experts.statistics import NeuronScores
from interlingua.report import write_report
from interlingua.report.answer import answer

LANGUAGES, NEURONS = 4, 30


@pytest.fixture(scope="module")
def hidden():
    return make_model("llama").at("hidden")


@pytest.fixture(scope="module")
def found(hidden):
    return il.find_experts(hidden, il.ParallelCorpus("tiny", "dev", SENTENCES), activity=True)


def of_activity(activity):
    empty = np.zeros_like(activity)
    return NeuronScores(empty, empty, None, activity)


@settings(max_examples=50)
@given(arrays(np.float64, (LANGUAGES, NEURONS), elements=st.integers(0, 20).map(lambda n: n / 20)))
def test_lape_is_the_published_formula(activity):
    """Tang et al. 2024, neuron by neuron."""
    bar = sorted(activity.ravel())[round(0.95 * activity.size) - 1]
    entropies = []
    for m in range(NEURONS):
        total = sum(activity[:, m])
        shares = [p / total for p in activity[:, m] if p > 0] if total else [1 / LANGUAGES] * LANGUAGES
        entropies.append(-sum(p * np.log(p) for p in shares))
    scores = lape(of_activity(activity))
    for language in range(LANGUAGES):
        belonging = [m for m in range(NEURONS) if activity[language, m] > bar]
        order = sorted(belonging, key=lambda m: (round(entropies[m], 9), m))
        chosen = np.argsort(-np.round(scores[language], 9), kind="stable")[: len(order)]
        assert chosen.tolist() == order
        assert ((scores[language] > 0) == np.isin(np.arange(NEURONS), belonging)).all()
    candidates = [m for m in range(NEURONS) if (activity[:, m] > bar).any()]
    own = language_specific(of_activity(activity), top_rate=0.1)
    assert own.any(axis=0).sum() == min(3, len(candidates))
    if own.any():
        worst = max(entropies[m] for m in np.flatnonzero(own.any(axis=0)))
        assert all(entropies[m] >= worst - 1e-9 for m in candidates if not own[:, m].any())


def test_activity_is_the_share_of_a_languages_tokens_above_zero(hidden, found):
    sentences = list(SENTENCES["spa_Latn"])
    above = tokens = 0
    for sentence in sentences:
        ids = hidden.tokenizer(sentence, return_tensors="pt")
        seen = []
        handles = [
            hidden.hf.get_submodule(linear.name).register_forward_pre_hook(
                lambda m, given, s=seen: s.append(given[0][0])
            )
            for linear in hidden.neurons.linears
        ]
        hidden.hf(**ids)
        for handle in handles:
            handle.remove()
        values = np.concatenate([part.detach().numpy()[1:] for part in seen], axis=1)  # without <s>
        above, tokens = above + (values > 0).sum(axis=0), tokens + len(values)
    np.testing.assert_allclose(found.activity[found.row("es")], above / tokens, atol=1e-6)


def test_average_precision_is_scikit_learns(hidden, found):
    sentences = [sentence for code in SENTENCES for sentence in SENTENCES[code]]
    values = record_poolings(hidden, sentences, ["mean"])["mean"].values
    labels = np.repeat([code == "spa_Latn" for code in SENTENCES], 6)
    expected = [average_precision_score(labels, values[:, m]) for m in range(len(hidden.neurons))]
    np.testing.assert_allclose(FINDERS["average-precision"](found.scores)[found.row("es")], expected)


def test_both_ends_are_half_the_best_and_half_the_worst(found):
    precision = found.average_precision[found.row("es")]
    top = found.rank_by("both-ends").top("es", 10)
    order = np.argsort(precision, kind="stable")
    assert set(top.tolist()) == {*order[:5].tolist(), *order[-5:].tolist()}


def test_the_mean_difference_is_in_pooled_standard_deviations(hidden, found):
    sentences = [sentence for code in SENTENCES for sentence in SENTENCES[code]]
    values = record_poolings(hidden, sentences, ["mean"])["mean"].values.astype(np.float64)
    own = np.repeat([code == "spa_Latn" for code in SENTENCES], 6)
    variance = (values[own].var(axis=0) * own.sum() + values[~own].var(axis=0) * (~own).sum()) / len(own)
    expected = (values[own].mean(axis=0) - values[~own].mean(axis=0)) / np.sqrt(variance)
    np.testing.assert_allclose(FINDERS["mean-difference"](found.scores)[found.row("es")], expected, rtol=1e-3)


@pytest.mark.parametrize("finder", FINDERS)
def test_whatever_is_made_of_experts_takes_its_k_from_the_finder(found, finder, tmp_path, recwarn):
    ranked = found.rank_by(finder)
    k = 12
    top = ranked.top("es", k)
    scores = FINDERS[finder](found.scores)[found.row("es")]
    assert sorted(scores[top]) == sorted(np.sort(scores)[-k:])
    edit = il.set_to_mean(ranked, "es", k)
    assert set(edit.by_neuron(found.neurons)[0]) == set(top)
    assert edit.parameters.get("ranked_by", "auroc") == finder
    ranked.save_pretrained(tmp_path / "experts")
    again = il.Experts.from_pretrained(tmp_path / "experts")
    assert (again.ranked_by, again.neurons) == (finder, found.neurons)
    assert again.top("es", k).tolist() == top.tolist()
    np.testing.assert_array_equal(again.activity, found.activity)


@pytest.mark.parametrize("family", ["llama", "gpt2", "qwen2_moe"])
def test_experts_among_some_linears_are_those_that_are_found_there(family):
    model, probe = make_model(family), il.ParallelCorpus("tiny", "dev", SENTENCES)
    inner = model.at("inner")
    among = il.find_experts(model, probe, activity=True).rank_by("lape").among(inner.neurons)
    recorded = il.find_experts(inner, probe, activity=True).rank_by("lape")
    assert among.made_from == recorded.made_from
    assert among.top("es", 9).tolist() == recorded.top("es", 9).tolist()
    for name in ("auroc", "average_precision", "activity"):
        np.testing.assert_array_equal(getattr(among, name), getattr(recorded, name))
    for name, values in recorded.statistics.arrays().items():
        np.testing.assert_array_equal(among.statistics.arrays()[name], values)
    if recorded.routing:
        np.testing.assert_array_equal(among.scores.coverage, recorded.scores.coverage)
    with pytest.raises(InputError, match="were not recorded"):
        among.among(model.neurons)


def test_wrong_finders_and_sites_are_errors(found, hidden):
    with pytest.raises(InputError, match="unknown finder 'best'; use auroc, average-precision"):
        found.rank_by("best")
    without = il.find_experts(hidden, il.ParallelCorpus("tiny", "dev", SENTENCES))
    with pytest.raises(InputError, match="find the experts with activity=True"):
        without.rank_by("lape")
    with pytest.raises(InputError, match="unknown neurons 'middle'; use outputs, inner, hidden"):
        hidden.at("middle")
    outputs = hidden.at("outputs")
    of_outputs = il.set_to_mean(il.find_experts(outputs, il.ParallelCorpus("tiny", "dev", SENTENCES)), "es", 5)
    of_hidden = il.set_to_mean(found, "es", 5)
    assert of_outputs.fingerprint != of_hidden.fingerprint
    with pytest.raises(InputError, match="different models cannot be composed"):
        il.interventions.compose(of_outputs, of_hidden)
    with pytest.raises(InputError, match="belongs to a model with other neurons"):
        il.random_control(of_hidden, outputs.neurons)
    with pytest.raises(ArtifactError, match="other names or sizes"):
        of_hidden.applied_to(make_model("gpt2"))


def test_an_edit_of_hidden_units_applies_whatever_site_a_model_is_loaded_at(found, hidden):
    outputs, edit = hidden.at("outputs"), il.set_to_mean(found, "es", 20)
    embedded = []
    for model in (hidden, outputs):
        with edit.applied_to(model):
            embedded.append(il.embed(model, ["el gato duerme"]))
    np.testing.assert_array_equal(*embedded)
    np.testing.assert_allclose(il.embed(il.bake(outputs, edit), ["el gato duerme"]), embedded[0], atol=1e-5)


def test_adding_and_swapping(found):
    row = found.row("es")
    top = found.top("es", 6)
    ids, scale, shift = il.add(found, "es", 6, factor=2.0).by_neuron(found.neurons)
    assert (scale == 1).all()
    np.testing.assert_allclose(shift, 2 * found.statistics.mean[row, ids])
    ids, scale, shift = il.swap(found, "es", 6, source="ja").by_neuron(found.neurons)
    own = np.isin(ids, top)
    assert set(ids) == {*top} | {*found.top("ja", 6)}
    np.testing.assert_allclose(shift[own], found.statistics.mean[row, ids[own]])
    assert (scale[own] == 1).all()
    assert not scale[~own].any()
    assert not shift[~own].any()


@pytest.fixture(scope="module")
def gridded(checkpoint, corpus_folder, tmp_path_factory):
    config = il.StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), targets=["es"], k=[12], dtype="float32",
        kinds=["set-to-mean", "add"], finders=["auroc", "lape"], neurons=["outputs", "hidden"],
        measures=["retrieval", "geometry"], control={"draws": 2},
    )  # fmt: skip
    return il.run_study(config, tmp_path_factory.mktemp("grid") / "run")


def test_a_study_records_once_a_site_and_has_a_row_a_combination(gridded):
    recorded = list((gridded.folder).rglob("experts.safetensors"))
    assert len(recorded) == 2
    table = gridded.tables["grid"]
    assert len(table) == 8
    assert set(map(tuple, table[["kind", "finder", "neurons"]].to_numpy())) == {
        (kind, finder, site)
        for kind in ("set-to-mean", "add")
        for finder in ("auroc", "lape")
        for site in ("outputs", "hidden")
    }
    pairs = gridded.tables["retrieval"].query("query != candidate")
    for row in table.itertuples():
        label = edit_label(row.kind, row.finder, row.neurons)
        of_edit = pairs[(pairs.kind == label) & (pairs.k == 12)]
        assert row.top1 == pytest.approx(of_edit[of_edit.condition == "steered"].top1.mean())
        more = gridded.tables["control_retrieval"].query("query != candidate and kind == @label").top1.mean()
        first = of_edit[of_edit.condition == "random"].top1.mean()
        assert row.top1_random == pytest.approx((first + more) / 2)
        assert row.top1_original == pytest.approx(pairs[pairs.condition == "original"].top1.mean())


def test_a_study_of_hidden_units_gives_what_the_rooms_give_by_hand(gridded, checkpoint, corpus_folder):
    model = il.load_model(checkpoint, dtype="float32", neurons="hidden")
    probe, evaluation = (il.open_corpus(corpus_folder).parallel(split) for split in ("dev", "devtest"))
    experts = il.find_experts(model, probe, activity=True).rank_by("lape")
    with il.add(experts, "es", 12).applied_to(model):
        spaces = {code: il.embed(model, evaluation[code]) for code in evaluation.languages}
    expected = il.retrieval(spaces).set_index(["query", "candidate"]).top1
    table = gridded.tables["retrieval"].query("condition == 'steered' and kind == 'add, lape, hidden'")
    assert table.set_index(["query", "candidate"]).top1.to_dict() == expected.to_dict()


@pytest.mark.slow
def test_the_report_shows_the_grid(gridded, few_figures):
    page = write_report(gridded).read_text(encoding="utf-8")
    assert "Which neurons, found how, changed how" in page
    assert "What each choice explains" in page
    first, *sentences = answer(gridded)
    assert first == "8 combinations of kind, finder and site were compared."
    table = gridded.tables["grid"]
    assert f"{table.top1.max():.3f} (originally" in sentences[-1]


@given(st.integers(0, 1000))
@settings(max_examples=20)
def test_main_effects_are_those_of_an_analysis_of_variance(seed):
    """In a balanced grid the main effects' sums of squares are those of one-way analyses of variance."""
    random = np.random.default_rng(seed)
    rows = [
        {"target": "spa_Latn", "kind": kind, "finder": finder, "neurons": site, "k": 10, "top1": random.random()}
        for kind, finder, site in itertools.product(("a", "b"), ("auroc", "lape", "random"), ("outputs", "hidden"))
    ]
    table = pd.DataFrame(rows).assign(share=np.nan, forcing=np.nan, log_perplexity=np.nan, distance=np.nan)
    found = main_effects(table).set_index("choice").share
    assert set(found.index) == {"kind", "finder", "neurons"}
    for choice in found.index:
        groups = [part.top1.to_numpy() for _, part in table.groupby(choice)]
        f = stats.f_oneway(*groups).statistic
        between, within = len(groups) - 1, len(table) - len(groups)
        assert found[choice] == pytest.approx(f * between / (f * between + within))


def test_layer_by_layer_takes_each_layers_statistics_under_the_edits_below(hidden):
    probe = il.ParallelCorpus("tiny", "dev", SENTENCES)
    experts = il.find_experts(hidden, probe)
    edit = il.layer_by_layer(hidden, probe, experts, "es", 30)
    once = il.linear_transport(experts, "es", 30)
    ids, scale, shift = edit.by_neuron(hidden.neurons)
    ids_once, scale_once, shift_once = once.by_neuron(hidden.neurons)
    assert ids.tolist() == ids_once.tolist()
    first = hidden.neurons.locate(ids).layer.to_numpy() == 0
    np.testing.assert_array_equal(scale[first], scale_once[first])
    np.testing.assert_array_equal(shift[first], shift_once[first])
    below = once.only(hidden.neurons, layers=[0])
    with below.applied_to(hidden):
        upper = il.find_experts(hidden, probe)
    expected = upper.statistics.transport_slope[upper.row("es"), ids[~first]]
    np.testing.assert_allclose(scale[~first], expected, rtol=1e-5)
    assert not np.allclose(scale[~first], scale_once[~first])


@pytest.mark.parametrize("read_as", [{"special_tokens": True}, {"max_length": 6}, {"pooling": "max"}])
def test_layer_by_layer_reads_the_probe_as_the_experts_were_found(hidden, read_as):
    probe = il.ParallelCorpus("tiny", "dev", SENTENCES)
    experts = il.find_experts(hidden, probe, **read_as)
    ids, _, shift = il.layer_by_layer(hidden, probe, experts, "es", 30).by_neuron(hidden.neurons)
    once = il.linear_transport(experts, "es", 30).by_neuron(hidden.neurons)
    first = hidden.neurons.locate(ids).layer.to_numpy() == 0
    assert first.any()
    np.testing.assert_array_equal(shift[first], once[2][first])
