"""The paper's claims, judged on a study's tables, each with its numbers.

Each claim turns on one number about an edit. For one target it has an interval over what was sampled: sentences,
languages or texts. Over several targets the targets are the sample, since they are what a further language would be
drawn from. A claim holds where the interval lies beyond the bar, and does not where it lies on the other side; where it
reaches to both, nobody can tell. What holds of random neurons as well is no evidence about experts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from interlingua.analysis.claims import experts, pairs, retrieval, space, texts
from interlingua.analysis.claims.effect import FEW_POINTS, Claim, Effect
from interlingua.analysis.claims.judge import NOT_MEASURED, Finding, judge
from interlingua.analysis.evidence import NotMeasured
from interlingua.analysis.schema import Tables

COLUMNS = ["claim", "statement", "kind", "k", "verdict", "numbers"]

ANY = (-float("inf"), float("inf"))

CLAIMS: dict[str, Claim] = {
    "C1": Claim(
        "Steering raises the share of texts in the target language.",
        "change of the share",
        texts.share_of_texts,
        beside_random=True,
    ),
    "C2": Claim("Perplexity rises with k.", "rise of log perplexity", texts.perplexity_with_k, limits=ANY),
    "C3": Claim(
        "Distances between languages shrink.",
        "loss of distance",
        space.distances_shrink,
        limits=(-2.0, 2.0),
        beside_random=True,
        ranked=True,
    ),
    "C4": Claim(
        "Retrieval with the target as query improves for most candidates.",
        "gain of top-1",
        retrieval.target_as_query,
        beside_random=True,
        ranked=True,
    ),
    "C5": Claim(
        "Retrieval improves for other query languages too.",
        "gain of top-1",
        retrieval.others_as_query,
        beside_random=True,
        ranked=True,
    ),
    "C6": Claim(
        "Paraphrase retrieval holds: post is within a few points of pre.",
        "change of top-1",
        pairs.paraphrases_kept,
        bar=-FEW_POINTS,
        beside_random=True,
    ),
    "C7": Claim(
        "Mixed paraphrase retrieval falls: the new space is another space.",
        "fall of top-1",
        pairs.mixed_falls,
        beside_random=True,
    ),
    "C8": Claim(
        "Random neurons bring no such gain in retrieval.",
        "fall of top-1 by random neurons",
        retrieval.random_brings_no_gain,
        bar=-0.01,
        fails_below=0.0,
    ),
    "C9": Claim(
        "Accuracy falls with distance.",
        "minus the correlation",
        space.accuracy_falls_with_distance,
        beside_random=True,
    ),
    "C10": Claim(
        "Experts of different languages hardly overlap.", "minus the share", experts.experts_hardly_overlap, -0.05
    ),
    "C11": Claim(
        "The edited space is a new one: languages do not land where the target was.",
        "landing less often than with random neurons",
        space.a_new_space,
        bar=-FEW_POINTS,
    ),
    "C12": Claim(
        "Distances before and after the edit correlate.", "correlation", space.distances_correlate, beside_random=True
    ),
    "C13": Claim(
        "The gain does not correlate with the loss of distance.",
        "correlation",
        space.gain_without_shrinking,
        within=0.3,
    ),
    "C14": Claim("Languages seen in pre-training gain more.", "lead of seen candidates", retrieval.seen_gain_more),
    "C15": Claim("Gains grow with k up to 2,000.", "growth of the gain", retrieval.gains_grow_with_k),
    "C16": Claim(
        "Retrieval in bitext improves with the target as query.",
        "gain of top-1",
        pairs.bitext_gains,
        beside_random=True,
    ),
    "C17": Claim(
        "Experts tell their language apart: mean AUROC above 0.83.", "mean AUROC", experts.experts_are_good, 0.83
    ),
}
"""Each claim in the order of PROTOCOL: C1 to C10 as the paper lists its results, C11 to C17 from its text.

The bars are ours where the paper has words: a few points are 0.05, "hardly" is one in twenty, no gain is less than a
point, no correlation is one of less than 0.3, and 0.83 is the lowest mean AUROC of its three models (section 3.2).
"""


Measured = Mapping[str, Sequence[Effect] | str]
"""By claim its number for every edit, or what is missing for it."""


def effects(tables: Tables) -> Measured:
    """Return, for every claim, its number for every edit, or what is missing for it.

    Args:
        tables: As `claims` takes them.
    """
    measured: dict[str, Sequence[Effect] | str] = {}
    for name, claim in CLAIMS.items():
        try:
            measured[name] = list(claim.effects(tables)) or "no edit with k above 0 was measured"
        except NotMeasured as missing:
            measured[name] = str(missing)
    return measured


def claims(tables: Tables) -> pd.DataFrame:
    """Judge the paper's claims on the tidy tables of a study.

    Args:
        tables: By name, the tables of a study, the retrieval at one layer. A claim whose table is absent is not
            measured.

    Returns:
        A tidy table with the columns claim, statement, kind, k (missing where the claim is about all, or nothing was
        measured), verdict and numbers, a sentence: the verdict's grounds, or what is missing. A verdict is `holds`;
        `holds, and for random neurons too`; `cannot tell`, with what could; `does not hold`; or `not measured`. A
        claim has a row for each kind and k that was measured.

    Raises:
        InputError: A table lacks a column, holds retrieval at several layers, or the original model twice.

    Example:
        >>> shared = pd.DataFrame({"language": ["eng_Latn"], "other": ["spa_Latn"], "k": [2000], "shared": [31]})
        >>> table = claims({"overlap": shared}).set_index("claim")
        >>> print(table.verdict["C10"], "-", table.numbers["C10"])
        holds - minus the share -0.015 (95 % interval -0.015 to -0.015 over 2 targets): en -0.015, es -0.015
        >>> print(table.verdict["C1"], "-", table.numbers["C1"])
        not measured - the table generation is missing
    """
    return judge_effects(effects(tables))


def judge_effects(measured: Measured) -> pd.DataFrame:
    """Judge the claims on what `effects` gives, and return the columns of `claims`."""
    rows = []
    for name, claim in CLAIMS.items():
        of_claim = measured[name]
        missing = of_claim if isinstance(of_claim, str) else "no edit with k above 0 was measured"
        findings = [] if isinstance(of_claim, str) else list(judge(claim, of_claim))
        for finding in findings or [Finding(NOT_MEASURED, missing)]:
            rows.append((name, claim.statement, finding.kind, finding.k, finding.verdict, finding.numbers))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"k": "Int64"})


def claims_by_target(tables: Tables, measured: Measured | None = None) -> pd.DataFrame:
    """Judge the claims for each target alone, since what holds on the mean of several may hold for none.

    Args:
        tables: As `claims` takes them.
        measured: What `effects` gives of them, where it is at hand.

    Returns:
        The columns of `claims`, after the column target.
    """
    measured = effects(tables) if measured is None else measured
    targets = dict.fromkeys(
        e.target for of_claim in measured.values() if not isinstance(of_claim, str) for e in of_claim
    )
    judged = []
    for target in targets:
        of_target = {
            name: of_claim if isinstance(of_claim, str) else [e for e in of_claim if e.target == target]
            for name, of_claim in measured.items()
        }
        judged.append(judge_effects(of_target).assign(target=target))
    return pd.concat(judged, ignore_index=True)[["target", *COLUMNS]] if judged else pd.DataFrame()
