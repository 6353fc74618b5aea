"""The config of a study: what it accepts, what it says of what it does not, and what it prints."""

import itertools

import pytest

from interlingua.errors import InputError
from interlingua.study import PRESETS, StudyConfig, commented_yaml, load_config
from interlingua.study.conditions import conditions
from interlingua.study.corpora import load_corpora
from interlingua.study.run import default_folder
from interlingua.study.sections import Kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("target: es", "unknown key 'target'; did you mean 'targets'"),
        ("generation: {text: 8}", "unknown key 'generation.text'; did you mean 'generation.texts'"),
        ("targets: [Spansh]", "targets: unknown language 'Spansh'"),
        ("k: [-1]", "k.0: Input should be greater than or equal to 0"),
        ("measures: [retreival]", "measures.0: Input should be 'retrieval'"),
        ("kinds: [set-to-max]", "kinds.0: unknown kind 'set-to-max'; use set-to-mean"),
        ("kinds: [{kind: dampen, beta: 1}]", "kinds.0: 'dampen' takes no beta; it takes factor"),
        ("kinds: [contrastive-vector]", "'contrastive-vector' takes no k, and a study compares kinds at equal k"),
        ("perplexity: {stride: 0}", "perplexity.stride: Input should be greater than or equal to 1"),
        ("- a", "must hold `key: value` lines"),
        ("a: [", "cannot read the study"),
    ],
)
def test_a_wrong_config_is_an_error_that_names_it(tmp_path, text, message):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", [None, *PRESETS])
def test_a_printed_config_loads_to_the_same_and_has_a_comment_for_every_key(tmp_path, name):
    config = load_config(name, kinds=["set-to-mean", {"kind": "dampen", "factor": 0.2, "strength": 0.5}])
    text = commented_yaml(config)
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    assert load_config(tmp_path / "s.yaml") == config
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    assert len(lines) > 60
    for before, line in itertools.pairwise(lines):
        assert line.startswith("#") or before.startswith("# "), f"no comment says what '{line}' is"
    assert "None" not in text


def test_the_preset_starter_is_the_default():
    assert load_config("starter") == StudyConfig()


@pytest.mark.parametrize(
    ("name", "k"), [("paper-bloom-7b1", 100), ("paper-aya-23-8b", 2000), ("paper-polylm-13b", 2000)]
)
def test_the_papers_presets_have_the_papers_settings(name, k):
    config = load_config(name)
    assert config.k == (k,)
    assert [code[:3] for code in config.targets] == ["eng", "deu", "fra", "spa", "jpn"]
    assert config.generation.texts * len(config.generation.seeds) == 2048
    assert (config.generation.temperature, config.generation.top_p) == (1.0, 0.9)
    assert (config.perplexity.tokens, config.perplexity.stride, config.perplexity.window) == (10_000_000, 512, None)
    assert (config.corpus, config.limit, config.paraphrase.corpus) == ("flores200", None, "pawsx")
    assert config.sweep.k == (100, 200, 500, 1000, 2000, 5000)


def test_a_target_has_its_own_k_where_it_is_given_some():
    config = StudyConfig(targets=["es", "de", "fr"], k=[9], k_of_target={"Spanish": [5, 7], "de": [5]})
    steered = [condition.title() for condition in conditions(config) if condition.name == "steered"]
    assert steered == ["steered es k=5", "steered es k=7", "steered de k=5", "steered fr k=9"]
    assert config.all_k == (5, 7, 9)
    with pytest.raises(InputError, match="k_of_target: jpn_Jpan is no target"):
        load_config(targets=["es"], k_of_target={"ja": [5]})
    with pytest.raises(InputError, match="unknown language 'esx'"):
        load_config(targets=["es"], k_of_target={"esx": [5]})


def test_every_nth_sentence_is_measured_and_the_probe_is_whole(corpus_folder):
    whole, third = (load_corpora(StudyConfig(corpus=str(corpus_folder), every=every)) for every in (1, 3))
    assert third.evaluation["spa_Latn"] == whole.evaluation["spa_Latn"][::3]
    assert third.probe == whole.probe


def test_a_file_goes_before_a_preset_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "starter").write_text("k: [7]")
    assert load_config("starter").k == (7,)


def test_kinds_with_options_have_labels_of_their_own():
    kinds = StudyConfig(kinds=["dampen", {"kind": "dampen", "factor": 0.2}, {"kind": "ablate", "strength": 0.5}]).kinds
    assert [kind.label for kind in kinds] == ["dampen", "dampen factor=0.2", "ablate strength=0.5"]
    assert Kind.model_validate(kinds[1].model_dump()) == kinds[1]


def test_two_models_of_one_name_have_folders_of_their_own(tmp_path):
    for owner in ("a", "b"):
        (tmp_path / owner / "m").mkdir(parents=True)
    names = [*("a/m", "b/m", "gemma3-270m"), *(str(tmp_path / owner / "m") for owner in ("a", "b"))]
    folders = [default_folder(StudyConfig(model=name)).name for name in names]
    assert folders[:3] == ["a--m-starter", "b--m-starter", "gemma3-270m-starter"]
    assert len(set(folders)) == 5


def test_the_keys_of_0_1_are_taken():
    config = StudyConfig(projection={"neighbours": 7}, correlation={"all_candidates": True, "resamples": 9})
    assert config.projection.n_neighbors == 7
    assert config.correlation.resamples == 9
    assert "neighbours" not in commented_yaml(config)


@pytest.mark.parametrize("device", ["all", "cuda:0,cuda:1"])
def test_one_model_over_all_devices_is_not_a_model_on_each(device):
    with pytest.raises(InputError, match=f"device_map: it spreads one model .* device '{device}' has a model on each"):
        load_config(device=device, device_map="auto")
    assert load_config(device_map="auto").device == "auto"
