"""The plan of a study: which cells depend on which setting, without running one."""

import pytest

from interlingua.study import StudyConfig
from interlingua.study.corpora import load_corpora
from interlingua.study.plan import plan

IDENTITY = {"model": "m", "weights": "0", "torch": "2"}
ALL = {
    "experts", "expert statistics", "embeddings", "space", "cross space", "retrieval", "geometry", "correlation",
    "projection", "paraphrase embeddings", "paraphrase", "texts", "generation", "perplexity",
}  # fmt: skip
SPACE = {"space", "cross space", "embeddings", "retrieval", "geometry", "correlation", "projection"}
PARAPHRASE, GENERATION = {"paraphrase embeddings", "paraphrase"}, {"texts", "generation"}


def keys(change=None, identity=IDENTITY):
    config = StudyConfig(**{"languages": ["es", "de", "fr"], "limit": 5, **(change or {})})
    found = {}
    for cell in plan(config, identity, load_corpora(config)):
        found.setdefault(cell.measure, set()).add(cell.key)
    return found


@pytest.fixture(scope="module")
def before():
    return keys()


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"pooling": "max"}, ALL),
        ({"special_tokens": True}, ALL),
        ({"max_length": 64}, ALL),
        ({"probe_languages": ["es", "en"]}, ALL),
        ({"probe_limit": 4}, ALL),
        ({"kinds": [{"kind": "set-to-mean", "statistic": "median"}]}, ALL - {"experts", "expert statistics"}),
        ({"kinds": [{"kind": "set-to-mean", "strength": 0.5}]}, ALL - {"experts", "expert statistics"}),
        ({"k": [100]}, ALL - {"experts"}),
        ({"seed": 1}, {"correlation", "projection"}),
        ({"control": {"seed": 1}}, ALL - {"experts", "expert statistics", "projection"}),
        ({"control": {"draws": 2}}, {"space"}),
        ({"control": {"match": ["own-mean"]}}, {"space"}),
        ({"languages": ["es", "de"]}, SPACE | PARAPHRASE),
        ({"layer": 3}, SPACE | PARAPHRASE),
        ({"generation": {"texts": 8}}, GENERATION),
        ({"generation": {"top_p": 0.5}}, GENERATION),
        ({"generation": {"seeds": [1]}}, GENERATION),
        ({"generation": {"identifier": "lingua"}}, {"generation"}),
        ({"perplexity": {"characters": 500}}, {"perplexity"}),
        ({"perplexity": {"tokens": 50}}, {"perplexity"}),
        ({"perplexity": {"window": 256}}, {"perplexity"}),
        ({"perplexity": {"stride": 64}}, {"perplexity"}),
        ({"paraphrase": {"limit": 4}}, PARAPHRASE),
        ({"correlation": {"resamples": 10}}, {"correlation"}),
        ({"pretrained_languages": ["es"]}, {"correlation"}),
        ({"projection": {"sentences": 3}}, {"projection"}),
        ({"sweep": {"bound": 2.0}}, set()),
        ({"sweep": {"by": "posterior"}}, set()),
    ],
)  # fmt: skip
def test_a_setting_decides_the_cells_that_it_should(before, change, changed):
    after = keys(change)
    assert {name for name in ALL if after.get(name) != before[name]} == changed


def test_another_model_changes_every_cell(before):
    after = keys(identity={**IDENTITY, "weights": "1"})
    assert not [name for name in ALL if after[name] & before[name]]


def test_another_target_leaves_the_recording_and_the_original_alone(before):
    after = keys({"targets": ["es", "fr"]})
    for name in ("experts", "embeddings", "retrieval", "paraphrase", "texts", "perplexity"):
        assert before[name] <= after[name], name


def test_a_cell_comes_after_those_that_it_needs():
    config = StudyConfig(targets=["es", "de"], k=[0, 5], sweep={"k": [7]})
    seen = set()
    for cell in plan(config, IDENTITY, load_corpora(config)):
        assert {need.key for need in cell.needs.values()} <= seen, cell.name
        seen.add(cell.key)


def test_the_control_is_measured_by_what_is_asked_for_alone():
    config = StudyConfig(control_measures=["retrieval"])
    cells = plan(config, IDENTITY, load_corpora(config))
    measures = [cell.measure for cell in cells if cell.condition and cell.condition.name == "random"]
    assert measures == ["embeddings", "retrieval"]
    assert [cell.measure for cell in cells if cell.condition and cell.condition.name == "control"] == ["space"] * 2
