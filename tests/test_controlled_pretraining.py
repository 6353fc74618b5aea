"""The recipe of controlled pre-training, from text to a studied model, in miniature."""

import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import interlingua as il
from interlingua.study import StudyConfig

RECIPE = Path(__file__).parents[1] / "examples" / "controlled_pretraining"
NOUNS = ["river", "village", "window", "garden", "letter", "teacher"]
VERBS = ["follows", "remembers", "paints", "carries", "finds"]


@pytest.fixture(scope="module")
def recipe():
    """Return the modules of the recipe, which import each other as scripts beside each other do."""
    sys.path.insert(0, str(RECIPE))
    import cloning
    import figures
    import prepare
    import slope
    import train

    yield {"cloning": cloning, "figures": figures, "prepare": prepare, "slope": slope, "train": train}
    sys.path.remove(str(RECIPE))


@pytest.fixture(scope="module")
def prepared(recipe, tmp_path_factory):
    """Return a folder with the data of the setting of cloned languages."""
    folder = tmp_path_factory.mktemp("controlled")
    lines = [
        f"The {a} slowly {v} the {b} near the old {c}, while rain falls on the quiet roofs of the town."
        for a in NOUNS
        for v in VERBS
        for b in NOUNS
        for c in NOUNS
    ]
    for page in range(120):
        paragraphs = "".join(f'<p id="p{i}">{line}</p>' for i, line in enumerate(lines[page * 9 : page * 9 + 9]))
        (folder / "help").mkdir(exist_ok=True)
        (folder / "help" / f"{page}.html").write_text(f"<html><body>{paragraphs}</body></html>")
    pages = dict(recipe["prepare"].help_pages(folder / "help"))
    recipe["prepare"].prepare_cloned(pages, [], 400, folder / "data")
    return folder / "data"


@given(text=st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=60))
def test_a_clone_has_the_tokens_of_its_source_but_for_a_constant(recipe, prepared, text):
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(prepared / "tokenizer")
    source, clone = (tokenizer(line)["input_ids"] for line in (text, recipe["cloning"].clone(text)))
    constant = (len(tokenizer) - len(recipe["cloning"].SPECIAL)) // 2
    assert clone[1:] == [i + constant for i in source[1:]]
    assert source[0] == clone[0] == tokenizer.bos_token_id
    assert tokenizer.decode(clone[1:]) == recipe["cloning"].clone(text)


def test_each_letter_has_another_and_langid_takes_a_clone_for_korean(recipe):
    clone, printable = recipe["cloning"].clone, recipe["cloning"].PRINTABLE
    assert len(set(clone(printable))) == len(printable) == 95
    assert not set(clone(printable)) & set(printable)
    (language,) = il.identify([clone("Choose the menu item, and press Enter.")]).table().language
    assert language == recipe["cloning"].CLONE


def test_no_page_is_read_in_two_languages_or_trained_and_held_out(recipe, prepared):
    back = {there: here for here, there in recipe["cloning"].TO_CLONE.items()}

    def lines(path):
        return set(path.read_text(encoding="utf-8").translate(back).splitlines())

    trained = [lines(path) for path in sorted((prepared / "train").glob("*.txt"))]
    held_out = [lines(path) for path in sorted(prepared.glob("corpus/*/*.txt"))]
    assert all(trained) and all(held_out)
    assert not trained[0] & trained[1]
    assert not set.union(*trained) & set.union(*held_out)
    dev = il.open_corpus(prepared / "corpus").parallel("dev")
    assert dev["kor_Hang"][0] == recipe["cloning"].clone(dev["eng_Latn"][0])


def test_a_model_is_trained_in_the_shares_given_and_studied_as_any_other(recipe, prepared, tmp_path, monkeypatch):
    config = {
        "data": str(prepared), "shares": {"eng_Latn": 0.75, "kor_Hang": 0.25}, "tokens": 32 * 8 * 12, "layers": 2,
        "dimensions": 32, "units": 48, "heads": 2, "length": 32, "batch": 8,
    }  # fmt: skip
    training = recipe["train"].Training(**config)
    recipe["train"].train(training, tmp_path / "models" / "small")
    assert il.seen_languages(tmp_path / "models" / "small") == {"eng_Latn", "kor_Hang"}
    assert yaml.safe_load((tmp_path / "models/small/training.yaml").read_text())["shares"] == training.shares
    losses = pd.read_csv(tmp_path / "models/small/loss.csv")
    english = losses[losses.language == "eng_Latn"].sort_values("step").loss
    assert english.iloc[-1] < english.iloc[0]
    study = yaml.safe_load((RECIPE / "study.yaml").read_text())
    few = {
        "model": str(tmp_path / "models" / "small"), "corpus": str(prepared / "corpus"), "limit": 8, "k": [10],
        "control": {"draws": 2, "match": ["uniform", "own-mean"]}, "generation": {"texts": 2, "max_new_tokens": 4},
        "perplexity": {**study["perplexity"], "corpus": str(prepared / "text"), "characters": 400},
    }  # fmt: skip
    run = il.run_study(StudyConfig(**{**study, **few}), tmp_path / "small")
    row = recipe["slope"].row_of(run, tmp_path / "models" / "small", "kor_Hang")
    assert row["share"] == 0.25
    assert row["top1_gain"] == pytest.approx(row["top1_steered"] - row["top1"])
    assert 0 < row["p"] <= 1
    (tmp_path / "compared" / "small").mkdir(parents=True)
    columns = "method,layers,held_out,top1,low,high,special_tokens"
    lines = [columns, "centring,0,.5,.4,.3,.5,False", "centring,1,.6,.3,.2,.4,False", "identity,2,.9,.9,.9,.9,True"]
    (tmp_path / "compared" / "small" / "ranking.csv").write_text("\n".join(lines), encoding="utf-8")
    folders = ["--models", tmp_path / "models", "--compared", tmp_path / "compared"]
    asked = [*folders, "--language", "kor_Hang", "--language", "eng_Latn", "--out", tmp_path]
    monkeypatch.setattr("sys.argv", ["slope.py", *map(str, [tmp_path / "small", *asked])])
    recipe["slope"].main()
    rows = pd.read_csv(tmp_path / "rows.csv")
    assert rows.language.tolist() == ["kor_Hang", "eng_Latn"]
    assert rows.share.tolist() == [0.25, 0.75]
    assert set(pd.read_csv(tmp_path / "slopes.csv").points) == {2}
    assert set(pd.read_csv(tmp_path / "losses.csv").language) == {"kor_Hang", "eng_Latn"}
    spaces = pd.read_csv(tmp_path / "spaces.csv")
    assert spaces[["method", "layers", "top1"]].values.tolist() == [["centring", 1, 0.3]], "the best held out"
    monkeypatch.setattr("sys.argv", ["figures.py", str(tmp_path), "--out", str(tmp_path / "drawn")])
    recipe["figures"].main()
    assert "the clone" in (tmp_path / "drawn" / "losses.svg").read_text(encoding="utf-8")


def test_the_shares_of_sequences_are_those_asked_for(recipe):
    import numpy as np

    sequences = {"eng_Latn": np.zeros((50, 4), int), "kor_Hang": np.ones((7, 4), int)}
    training = recipe["train"].Training(data="", shares={"eng_Latn": 0.9, "kor_Hang": 0.1}, tokens=1600, length=4)
    mixed = recipe["train"].mixed(sequences, training)
    assert len(mixed) == 400
    assert mixed[:, 0].mean() == pytest.approx(0.1)


def test_a_slope_over_models_is_that_of_the_line_they_are_on(recipe):
    rows = pd.DataFrame({"share": [0.01, 0.1, 0.5, 0.5], "top1_gain": [0.0, 0.1, 0.1699, 0.1699]})
    found = recipe["slope"].slope(rows, "top1_gain")
    assert found["slope"] == pytest.approx(0.1, abs=1e-3)
    assert found["low"] <= found["slope"] <= found["high"]
