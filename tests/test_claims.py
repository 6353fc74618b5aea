import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import interlingua as il
from claim_tables import (
    CODES,
    TARGETS,
    bitext,
    correlation,
    drawn,
    edit,
    generation,
    geometry,
    landed,
    overlap,
    paraphrase,
    perplexity,
    quality,
    retrieval,
    several_k,
    spread,
    with_random,
)
from interlingua.analysis.claims import CLAIMS, claims_by_target
from interlingua.errors import InputError
from interlingua.intervals import mean_interval
from interlingua.study import StudyConfig

WIDE = (-0.5, 0.5, -0.4, 0.4)

CASES = [
    ("C1", "generation", generation(0.1, 0.8), "holds"),
    ("C1", "generation", spread(generation(0.4, 0.5), "share", WIDE), "cannot tell"),
    ("C1", "generation", generation(0.8, 0.1), "does not hold"),
    ("C1", "generation", generation(0.0, 0.0), "does not hold"),
    ("C1", "generation", generation(0.1, 0.8)[lambda table: table.condition != "original"], "not measured"),
    ("C2", "perplexity", perplexity(2.0, 2.5, 3.0), "holds"),
    ("C2", "perplexity", perplexity(2.0, 2.6, 2.5, 3.0), "holds"),
    ("C2", "perplexity", perplexity(2.0, 1.5, 1.4, 2.5), "does not hold"),
    ("C2", "perplexity", spread(perplexity(2.0, 2.1), "log_perplexity", WIDE), "cannot tell"),
    ("C2", "perplexity", perplexity(2.0, 2.0, 2.0), "does not hold"),
    ("C2", "perplexity", perplexity(2.0, 2.5)[lambda table: table.condition != "original"], "not measured"),
    ("C3", "geometry", geometry(-0.1), "holds"),
    ("C3", "geometry", geometry(0.1), "does not hold"),
    ("C3", "geometry", spread(geometry(-0.05), "value", WIDE), "cannot tell"),
    ("C3", "geometry", geometry(0.0, noise=0.0), "does not hold"),
    ("C3", "geometry", geometry(-0.1)[lambda table: table.condition != "original"], "not measured"),
    ("C4", "retrieval", retrieval(0.3, 0.0), "holds"),
    ("C4", "retrieval", spread(retrieval(0.1, 0.3), "top1", WIDE), "cannot tell"),
    ("C4", "retrieval", retrieval(-0.1, 0.3), "does not hold"),
    ("C4", "retrieval", retrieval(0.0, 0.0, noise=0.0), "does not hold"),
    ("C5", "retrieval", retrieval(0.0, 0.3), "holds"),
    ("C5", "retrieval", spread(retrieval(0.3, 0.1), "top1", WIDE), "cannot tell"),
    ("C5", "retrieval", retrieval(0.0, -0.1), "does not hold"),
    ("C6", "paraphrase", paraphrase(0.8, 0.79, 0.4), "holds"),
    ("C6", "paraphrase", paraphrase(0.5, 0.6, 0.4), "holds"),
    ("C6", "paraphrase", paraphrase(0.8, 0.6, 0.4), "does not hold"),
    ("C6", "paraphrase", spread(paraphrase(0.6, 0.59, 0.4), "top1", (-0.3, 0.3, -0.2, 0.2)), "cannot tell"),
    ("C6", "paraphrase", paraphrase(0.8, 0.8, 0.5)[lambda table: table.condition != "pre"], "not measured"),
    ("C7", "paraphrase", paraphrase(0.8, 0.8, 0.5), "holds"),
    ("C7", "paraphrase", spread(paraphrase(0.5, 0.5, 0.45), "top1", (-0.3, 0.3, -0.2, 0.2)), "cannot tell"),
    ("C7", "paraphrase", paraphrase(0.8, 0.8, 0.9), "does not hold"),
    ("C7", "paraphrase", paraphrase(0.8, 0.8, 0.5)[lambda table: table.condition != "pre"], "not measured"),
    ("C8", "retrieval", retrieval(0.3, 0.3, -0.02), "holds"),
    ("C8", "retrieval", retrieval(0.3, 0.3, 0.0), "holds"),
    ("C8", "retrieval", spread(retrieval(0.3, 0.3), "top1", WIDE, ["random"]), "cannot tell"),
    ("C8", "retrieval", retrieval(0.3, 0.3, 0.1), "does not hold"),
    ("C8", "retrieval", retrieval(0.3, 0.3, 0.5), "does not hold"),
    ("C8", "retrieval", retrieval(-0.1, -0.1, -0.2), "does not hold"),  # there is no gain to speak of
    ("C8", "retrieval", retrieval(0.3, 0.3)[lambda table: table.condition != "random"], "not measured"),
    ("C9", "correlation", correlation(-0.4), "holds"),
    ("C9", "correlation", spread(correlation(-0.1), "r", WIDE), "cannot tell"),
    ("C9", "correlation", correlation(0.6), "does not hold"),
    ("C9", "correlation", correlation(-0.4, pre=0.4), "does not hold"),
    ("C9", "correlation", correlation(-0.4, defined=False), "not measured"),
    ("C10", "overlap", overlap(20), "holds"),
    ("C10", "overlap", overlap(400), "does not hold"),
    ("C10", "overlap", overlap(0, k=0), "not measured"),
    ("C11", "cross_space", landed(0, 0), "holds"),
    ("C11", "cross_space", landed(1, 2), "holds"),
    ("C11", "cross_space", landed(5, 0), "does not hold"),
    ("C11", "cross_space", landed(5, 0)[lambda table: table.condition != "random"], "not measured"),
    ("C12", "correlation", correlation(0, distances=0.6), "holds"),
    ("C12", "correlation", correlation(0, distances=-0.6), "does not hold"),
    ("C12", "correlation", spread(correlation(0, distances=0.1), "r", WIDE), "cannot tell"),
    ("C12", "correlation", correlation(0, defined=False), "not measured"),
    ("C13", "correlation", correlation(0, gain=0.05), "holds"),
    ("C13", "correlation", correlation(0, gain=0.6), "does not hold"),
    ("C13", "correlation", correlation(0, gain=-0.6), "does not hold"),
    ("C13", "correlation", spread(correlation(0), "r", WIDE), "cannot tell"),
    ("C13", "correlation", correlation(0, defined=False), "not measured"),
    ("C14", "retrieval", retrieval(0.3, 0.0), "not measured"),
    ("C15", "retrieval", several_k(0.0, 0.1, 0.2), "holds"),
    ("C15", "retrieval", several_k(0.2, 0.1, 0.0), "does not hold"),
    ("C15", "retrieval", spread(several_k(0.0, 0.1)[lambda t: t.k < 200], "top1", (0, 0, 0, 0)), "not measured"),
    ("C16", "bitext", bitext(0.1), "holds"),
    ("C16", "bitext", bitext(-0.1), "does not hold"),
    ("C16", "bitext", spread(bitext(0.05), "top1", (-0.25, 0.25, -0.2, 0.2)), "cannot tell"),
    ("C16", "bitext", bitext(0.1)[lambda table: ~table["query"].isin(TARGETS)], "not measured"),
    ("C17", "experts", quality(0.95), "holds"),
    ("C17", "experts", quality(0.7), "does not hold"),
    ("C17", "experts", quality(0.9, k=0), "not measured"),
]


@pytest.mark.parametrize(("claim", "name", "table", "verdict"), CASES)
def test_verdicts(claim, name, table, verdict):
    tables = {name: table}
    if claim in ("C4", "C5"):
        tables["control_retrieval"] = drawn(table, [-0.5] * 18)
    judged = il.claims(tables).set_index("claim").loc[[claim]]
    assert judged.verdict.tolist() == [verdict] * len(judged), judged.numbers.tolist()
    assert not judged.numbers.str.contains("nan|inf", case=False).any()
    assert judged.numbers.str.len().min() > 10


def test_every_claim_is_tested_to_hold_and_not_to_hold():
    tested = {(claim, verdict) for claim, _, _, verdict in CASES}
    assert tested == set(itertools.product(CLAIMS, ("holds", "cannot tell", "does not hold", "not measured"))) - {
        ("C4", "not measured"),  # below
        ("C5", "not measured"),
        ("C10", "cannot tell"),  # targets are alike in these
        ("C11", "cannot tell"),
        ("C14", "holds"),  # below
        ("C14", "does not hold"),
        ("C14", "cannot tell"),
        ("C15", "cannot tell"),
        ("C17", "cannot tell"),
    }


def test_languages_seen_in_pre_training_gain_more():
    table = retrieval(0.1, 0.0)
    seen = table.candidate.isin(CODES[:3]) & (table["query"] != table.candidate) & (table.condition == "steered")
    for change, verdict in ((0.2, "holds"), (-0.2, "does not hold")):
        changed = table.assign(top1=table.top1 + change * seen)
        pretraining = pd.DataFrame({"language": CODES, "seen": [code in CODES[:3] for code in CODES]})
        judged = il.claims({"retrieval": changed, "pretraining": pretraining}).set_index("claim")
        assert judged.verdict["C14"] == verdict
        few = pretraining.assign(seen=[code == CODES[0] for code in CODES])
        judged = il.claims({"retrieval": changed, "pretraining": few}).set_index("claim")
        assert judged.verdict["C14"] == "not measured"


def test_what_random_neurons_do_too_is_said():
    tables = {
        "generation": with_random(generation(0.1, 0.8)),
        "geometry": with_random(geometry(-0.1)),
        "retrieval": retrieval(0.3, 0.3, 0.2),
        "correlation": with_random(correlation(-0.4)),
        "paraphrase": paraphrase(0.8, 0.79, 0.4),
        "paraphrase_random": paraphrase(0.8, 0.79, 0.4)[lambda table: table.condition != "pre"],
        "bitext": with_random(bitext(0.1)),
    }
    judged = il.claims(tables).set_index("claim")
    beside = [name for name, claim in CLAIMS.items() if claim.beside_random]
    assert beside == ["C1", "C3", "C4", "C5", "C6", "C7", "C9", "C12", "C16"]
    for claim in beside:
        assert judged.verdict[claim] == "holds, and for random neurons too", claim
        assert "; random neurons (uniform, 1 draw): " in judged.numbers[claim]
    assert judged.verdict["C8"] == "does not hold"
    alone = {**tables, "generation": with_random(generation(0.1, 0.8), share=0.1), "retrieval": retrieval(0.3, 0.3)}
    judged = il.claims({**alone, "control_retrieval": drawn(alone["retrieval"], [-0.5] * 18)}).set_index("claim")
    assert judged.verdict[["C1", "C4", "C5", "C8"]].tolist() == ["holds"] * 4


def test_experts_hold_a_claim_only_where_their_rank_is_significant():
    table = retrieval(0.3, 0.3)
    spread_out = [-0.2, 0.2] * 9  # on the mean nothing, so that they do not hold the claim themselves
    for gains, verdict, words in (
        (spread_out, "holds", "(uniform, 19 draws)"),
        ([*spread_out[:-1], 0.5], "cannot tell", "p = 0.10"),
        (spread_out[:3], "cannot tell", "p = 0.20 (4 draws of 19 that could tell)"),
        ([], "cannot tell", "p = 0.50 (1 draw of 19 that could tell)"),
    ):
        further = {"control_retrieval": drawn(table, gains)} if gains else {}
        judged = il.claims({"retrieval": table, **further}).set_index("claim")
        assert judged.verdict[["C4", "C5"]].tolist() == [verdict, verdict]
        assert words in judged.numbers["C4"]


def test_every_way_of_matching_counts():
    table = retrieval(0.3, 0.3)
    worse, better = drawn(table, [-0.2, 0.2] * 9), drawn(table, [0.4] * 19, match="own-mean")
    judged = il.claims({"retrieval": table, "control_retrieval": pd.concat([worse, better])}).set_index("claim")
    assert judged.verdict["C5"] == "holds, and for random neurons too"
    assert "random neurons (own-mean, 19 draws): +0.400" in judged.numbers["C5"]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(-200, 200), min_size=20, max_size=24, unique=True), st.booleans())
def test_random_neurons_called_steered_earn_a_claim_about_experts_only_where_they_are_above_all(gains, largest_first):
    """The swap test: the first draw stands in the place of the experts, among the draws that are left."""
    first, *others = sorted(gains, reverse=True) if largest_first else gains
    table = retrieval(first / 1000, first / 1000, noise=0.0)
    table = table[table.condition != "random"]
    further = drawn(table, [gain / 1000 for gain in others])
    judged = il.claims({"retrieval": table, "control_retrieval": further}).set_index("claim")
    earned = first > max(others) and first > 0 and len(others) >= 19
    too = first > 0 and mean_interval(np.array(others) / 1000)[0] > 0
    expected = "holds, and for random neurons too" if too else "holds" if earned else None
    for verdict in judged.verdict[["C4", "C5"]]:
        assert verdict == expected if expected else not verdict.startswith("holds")


def test_each_target_is_judged_alone():
    good, bad = retrieval(0.3, 0.3, targets=["spa_Latn"]), retrieval(-0.3, -0.3, targets=["fra_Latn"])
    table = pd.concat([good, bad[bad.condition != "original"]], ignore_index=True)
    judged = claims_by_target({"retrieval": table[table.condition != "random"]})
    verdicts = judged[judged.claim == "C5"].set_index("target").verdict
    assert verdicts.to_dict() == {"spa_Latn": "holds", "fra_Latn": "does not hold"}
    assert claims_by_target({}).empty


def test_nothing_measured_names_the_missing_tables():
    table = il.claims({}).set_index("claim")
    assert list(table.index) == [f"C{i}" for i in range(1, 18)]
    assert set(table.verdict) == {"not measured"}
    assert table.numbers["C4"] == "the table retrieval is missing"
    assert table.numbers["C9"] == "the table correlation is missing"
    assert table.kind.isna().all()
    assert il.claims({"overlap": overlap(1).iloc[:0]}).set_index("claim").numbers["C10"] == "the table overlap is empty"


def test_the_numbers_are_those_of_the_tables():
    table = il.claims({"generation": generation(0.1, 0.8), "retrieval": retrieval(0.25, 0.0, noise=0.0)})
    table = table.set_index("claim")
    assert "change of the share +0.700" in table.numbers["C1"]
    assert "over 4 targets): es +0.700, fr +0.700, de +0.700, ja +0.700" in table.numbers["C1"]
    assert "gain of top-1 +0.250" in table.numbers["C4"]
    assert table.k["C4"] == 100
    assert table.kind["C4"] == "set-to-mean"


def test_each_k_is_judged_alone():
    good, bad = retrieval(0.3, 0.3), retrieval(-0.3, -0.3)
    bad = bad[bad.condition != "original"].assign(k=5000)
    table = pd.concat([good, bad])
    table = il.claims({"retrieval": table[table.condition != "random"]})
    verdicts = table[table.claim == "C4"].set_index("k").verdict
    assert verdicts.to_dict() == {100: "holds", 5000: "does not hold"}


def test_the_original_and_k_0_alone_are_not_measured():
    table = retrieval(0.3, 0.3)
    judged = il.claims({"retrieval": table[table.condition == "original"]}).set_index("claim")
    assert judged.numbers["C4"] == "no edit with k above 0 was measured"
    assert (il.claims({"retrieval": table.assign(k=0)}).verdict == "not measured").all()


def test_two_languages_are_too_few():
    two = ["spa_Latn", "fra_Latn"]
    table = retrieval(0.3, 0.3)
    judged = il.claims({"retrieval": table[table["query"].isin(two) & table.candidate.isin(two)]}).set_index("claim")
    for claim in ("C4", "C5", "C8"):
        assert judged.verdict[claim] == "not measured"
        assert "an interval needs 3" in judged.numbers[claim]


def test_rows_without_a_number_are_no_evidence():
    table = generation(0.1, 0.8)
    table.loc[len(table)] = {**edit("steered", "fra_Latn", 200), "n": 200, "share": float("nan")}
    judged = il.claims({"generation": table})
    assert judged[judged.claim == "C1"].k.tolist() == [100]


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=8, max_size=8), st.integers(0, 3))
def test_shares_at_the_ends_make_no_nan(shares, n):
    table = generation(0.0, 0.0).assign(share=shares, n=n)
    judged = il.claims({"generation": table}).set_index("claim")
    assert "nan" not in judged.numbers["C1"]
    assert judged.verdict["C1"] in ("holds", "cannot tell", "does not hold", "not measured")


def test_wrong_tables_are_errors():
    with pytest.raises(InputError, match="table generation lacks the columns share"):
        il.claims({"generation": generation(0.1, 0.8).drop(columns="share")})
    table = retrieval(0.3, 0.3)
    with pytest.raises(InputError, match="several layers"):
        il.claims({"retrieval": pd.concat([table.assign(layer=-1), table.assign(layer=2)])})
    with pytest.raises(InputError, match=r"table retrieval has the original model's .* twice"):
        il.claims({"retrieval": pd.concat([table, table])})


def test_a_studys_own_tables_can_be_judged(checkpoint, corpus_folder, tmp_path):
    """The columns that a study writes are those that the summaries and claims read."""
    config = StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), targets=["es", "ja"], k=[5, 20],
        measures=["retrieval", "geometry"],
    )  # fmt: skip
    tables = dict(il.run_study(config, tmp_path / "study").tables)
    tables["correlation"] = il.correlation(tables["retrieval"], tables["geometry"], resamples=100)
    assert len(tables["correlation"]) == 2 * 2 * 2 * 4
    judged = il.claims(tables).set_index(["claim", "k"])
    for claim, k in itertools.product(("C3", "C4", "C5", "C10"), (5, 20)):
        assert judged.verdict[claim, k] in (
            "holds",
            "holds, and for random neurons too",
            "cannot tell",
            "does not hold",
        )
    assert set(judged.loc["C9"].index) == {5, 20}
    summary = il.geometry_summary(tables["geometry"])
    assert len(summary) == (1 + 2 * 2) * 8
    assert (summary.targets == 2).all()
    assert il.overlap(tables["overlap"], tables["experts"]).k.tolist() == [5, 20]
