"""The figures: what is drawn is what the tables hold."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from interlingua.languages import FLORES_LANGUAGES, PAPER_LANGUAGES
from interlingua.report.figures.beside_draws import beside_draws
from interlingua.report.figures.change import retrieval_change
from interlingua.report.figures.distances import MEASURES, distances
from interlingua.report.figures.from_target import retrieval_from_target
from interlingua.report.figures.grid import grid
from interlingua.report.figures.space import _apart, space
from interlingua.report.figures.style import UNSEEN
from interlingua.report.figures.sweep import sweep
from interlingua.report.looks import in_order, looks

CODES = ("eng_Latn", "spa_Latn", "jpn_Jpan", "deu_Latn")
EDIT = {"target": "spa_Latn", "kind": "set-to-mean", "k": 2000}
ORIGINAL = {"condition": "original", "target": None, "kind": None, "k": 0}
SETTING = ("spa_Latn", "set-to-mean", 2000)
SEEN = frozenset({"jpn_Jpan"})


@pytest.fixture
def retrieval():
    rng = np.random.default_rng(0)
    rows = [
        {**keys, "query": a, "candidate": b, "top1": 1.0 if a == b else rng.uniform()}
        for keys in (ORIGINAL, {"condition": "steered", **EDIT}, {"condition": "random", **EDIT})
        for a in CODES
        for b in CODES
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("condition", ["steered", "random"])
def test_accuracy_by_candidate(retrieval, condition):
    (axes,) = retrieval_from_target(retrieval, *SETTING, condition, SEEN).axes
    labels = [label.get_text() for label in axes.get_xticklabels()]
    rows = retrieval[(retrieval["query"] == "spa_Latn") & (retrieval.candidate != "spa_Latn")]
    candidates = ["eng_Latn", "deu_Latn", "jpn_Jpan"]
    after = rows[rows.condition == condition].set_index("candidate").top1[candidates]
    before = rows[rows.condition == "original"].set_index("candidate").top1[candidates]
    assert labels == ["en", "de", "ja"]
    drawn = {
        points.get_label(): points.get_offsets()[:, 1] for points in axes.collections if "_" not in points.get_label()
    }
    np.testing.assert_allclose(drawn[condition], after)
    np.testing.assert_allclose(drawn["original"], before)
    colours = {label.get_text(): label.get_color() for label in axes.get_xticklabels()}
    assert colours["ja"] == UNSEEN != colours["de"]


def test_experts_and_random_neurons_have_the_same_axes(retrieval):
    higher = retrieval.assign(top1=retrieval.top1.where(retrieval.condition != "steered", retrieval.top1 * 3))
    steered, random = (
        retrieval_from_target(higher, *SETTING, condition, SEEN).axes[0] for condition in ("steered", "random")
    )
    assert steered.get_ylim() == random.get_ylim()
    assert steered.get_ylim()[1] >= higher[higher["query"] == "spa_Latn"].query("candidate != 'spa_Latn'").top1.max()
    names = [[label.get_text() for label in axes.get_xticklabels()] for axes in (steered, random)]
    assert names[0] == names[1]


def test_change_for_every_pair(retrieval):
    figure = retrieval_change(retrieval, *SETTING, SEEN)
    experts, random = figure.axes[:2]
    order = [label.get_text() for label in experts.get_yticklabels()]
    codes = [{"en": "eng_Latn", "es": "spa_Latn", "ja": "jpn_Jpan", "de": "deu_Latn"}[label] for label in order]
    wide = {
        name: rows.pivot(index="query", columns="candidate", values="top1").loc[codes, codes]
        for name, rows in retrieval.groupby("condition")
    }
    off = ~np.eye(4, dtype=bool)
    for axes, name in ((experts, "steered"), (random, "random")):
        drawn = axes.images[0].get_array()
        np.testing.assert_allclose(drawn[off], (wide[name] - wide["original"]).to_numpy()[off])
        assert np.ma.getmaskarray(drawn).diagonal().all() or np.isnan(drawn.diagonal()).all()
    without = retrieval_change(retrieval[retrieval.condition != "random"], *SETTING, SEEN)
    assert len([axes for axes in without.axes if axes.images]) == 1


def test_sweep_marks_the_k_that_was_picked():
    table = pd.DataFrame(
        {
            "target": "spa_Latn", "kind": "set-to-mean", "k": [0, 100, 2000], "share": [0.1, 0.6, 0.9],
            "share_se": 0.01, "log_perplexity": [3.0, 3.2, 5.0], "standard_error": 0.1, "picked": [False, True, False],
        }
    )  # fmt: skip
    shares, losses = sweep(table).axes
    for axes, column in ((shares, "share"), (losses, "log_perplexity")):
        np.testing.assert_allclose(np.asarray(axes.lines[0].get_ydata(), float), table[column])
        (ring,) = [drawn for drawn in axes.collections if isinstance(drawn, PathCollection)]
        np.testing.assert_allclose(np.asarray(ring.get_offsets(), float), [[1, table[column][1]]])
        assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "100", "2,000"]


def test_space_names_every_cloud():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        [
            {"space": which, "language": code, "x": rng.normal(), "y": rng.normal()}
            for which in ("original", "steered")
            for code in CODES
            for _ in range(3)
        ]
    )
    (axes,) = space(table, SEEN).axes
    assert {text.get_text() for text in axes.texts} == {
        f"{code}{star}" for code in ("en", "es", "ja", "de") for star in ("", "*")
    }
    assert {text.get_text() for text in axes.texts if text.get_color() == UNSEEN} == {"ja", "ja*"}
    drawn = np.concatenate([points.get_offsets() for points in axes.collections])
    assert sorted(map(tuple, drawn)) == sorted(map(tuple, table[["x", "y"]].to_numpy()))
    edges = {tuple(points.get_edgecolor()[0]) for points in axes.collections}
    assert len(edges) == len(CODES)  # a language has one colour, before and after, and no other has it
    assert [len(points.get_facecolor()) for points in axes.collections] == [0] * 4 + [1] * 4  # hollow, then filled


def test_no_two_languages_look_alike():
    for codes in (PAPER_LANGUAGES, FLORES_LANGUAGES):
        found = looks(codes)
        assert set(found) == set(codes)
        assert len({look.colour for look in found.values()}) == len(codes)
    ordered = list(looks(PAPER_LANGUAGES).values())
    assert all(a.marker != b.marker for a, b in pairwise(ordered))


def test_languages_of_one_script_stand_together():
    scripts = [code[4:] for code in in_order(FLORES_LANGUAGES)]
    assert [script for script, after in zip(scripts, [*scripts[1:], ""], strict=True) if script != after] == list(
        dict.fromkeys(scripts)
    )
    assert in_order(["spa_Latn", "tha_Thai", "vie_Latn", "fra_Latn", "spa_Latn"]) == [
        "fra_Latn", "spa_Latn", "vie_Latn", "tha_Thai",
    ]  # fmt: skip


def test_labels_part_until_none_overlaps():
    size = np.array([0.05, 0.03])
    placed = _apart(np.zeros((8, 2)), size)
    difference = np.abs(placed[:, None] - placed[None, :])
    touching = (difference < size * 0.98).all(axis=2) & ~np.eye(8, dtype=bool)
    assert not touching.any()


def test_distances_have_a_bar_each():
    rows = [
        {
            "condition": condition,
            "kind": kind,
            "k": k,
            "measure": measure,
            "mean": 0.1 * (i + 1),
            "standard_error": 0.01,
        }
        for condition, kind, k in (("original", None, 0), ("steered", "set-to-mean", 2000))
        for i, measure in enumerate(MEASURES)
    ]
    (axes,) = distances(pd.DataFrame(rows)).axes
    assert sorted(round(bar.get_width(), 3) for bar in axes.patches) == sorted([0.1, 0.2, 0.3, 0.4] * 2)


def test_a_grid_shows_every_combination_in_its_place():
    table = pd.DataFrame(
        {"finder": [f, f], "neurons": ["hidden", "outputs"], "kind": "add", "share": [x, None], "top1": [x, 1 - x],
         "distance": None}
        for f, x in (("lape", 0.25), ("auroc", 0.5))
    ).explode(["finder", "neurons", "share", "top1"])  # fmt: skip
    figure = grid(table.astype({"share": float, "top1": float}))
    assert [axes.get_title() for axes in figure.axes] == ["texts in the target language", "top-1, mean over pairs"]
    shares, top1 = ({text.get_position(): text.get_text() for text in axes.texts} for axes in figure.axes)
    assert shares == {(0, 0): ".25", (0, 1): ".50"}
    assert top1 == {(0, 0): ".25", (1, 0): ".75", (0, 1): ".50", (1, 1): ".50"}
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["add, hidden", "add, outputs"]


def test_experts_stand_beside_the_range_of_each_kind_of_draw():
    rows = [
        {"target": target, "effect": effect, "match": match, "experts": 0.3, "draws": 3, "mean": mean,
         "lowest": mean - 0.1, "highest": mean + 0.05}
        for target in ("spa_Latn", "deu_Latn")
        for effect in ("loss of distance", "gain from others")
        for match, mean in (("uniform", 0.1), ("own-mean", -0.2))
    ]  # fmt: skip
    figure = beside_draws(pd.DataFrame(rows))
    assert [axes.get_xlabel() for axes in figure.axes] == ["loss of distance", "gain from others"]
    for axes in figure.axes:
        by_label = {line.get_label(): line.get_xdata() for line in axes.lines}
        np.testing.assert_allclose(by_label["random, uniform (3 draws)"], [0.1, 0.1])
        np.testing.assert_allclose(by_label["experts"], [0.3, 0.3])
        ranges = [segment[:, 0] for lines in axes.collections for segment in lines.get_segments()]
        np.testing.assert_allclose(sorted(map(tuple, ranges)), [(-0.3, -0.15)] * 2 + [(0.0, 0.15)] * 2)
