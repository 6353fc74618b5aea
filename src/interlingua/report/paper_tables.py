"""The paper's tables for any run, in the paper's layout, with its own numbers where the model is one of the paper's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from interlingua.analysis.published import published_values
from interlingua.report.layout import Column, PaperTable
from interlingua.report.tables import behaviour_table, groups, summary_table
from interlingua.study import Run
from interlingua.study.plan import pretrained_languages

Runs = Mapping[str, Run]
"""Runs by what a table's first column calls them."""

MODEL = Column("model", "model")
SETTING = (Column("kind", "intervention"), Column("k", "k", 0))
ENGLISH = "eng_Latn"
LANGUAGE = Column("language", "language", language=True)
UNSEEN_NOTE = "Languages that the model did not see in pre-training are red († in Markdown)."

DISTANCES = {
    "target_to_medoid": ("target", "to medoid", "target", "distance_to_medoid"),
    "distance_all": ("all languages", "between all", "non_target", "distance_all"),
    "others_to_medoid": ("other languages", "to medoid", "non_target", "distance_to_medoid"),
    "distance_to_target": ("other languages", "to target", "non_target", "distance_to_target"),
}
"""Measures of `geometry_summary`: of which languages, which distance, and what the paper's numbers call the two."""

CORRELATIONS = {
    "acc_post ~ d_post": ("r(acc post, d post)", "r(acc_post,d_post)"),
    "acc_pre ~ d_pre": ("r(acc pre, d pre)", "r(acc_pre,d_pre)"),
    "d_post ~ d_pre": ("r(d post, d pre)", "r(d_post,d_pre)"),
    "gain ~ d_pre - d_post": ("r(Δacc, d pre − d post)", "r(delta_acc,d_pre-d_post)"),
}
"""Correlations of `correlation`: their headings, and what the paper's numbers call them."""


def paper_tables(runs: Runs) -> list[PaperTable]:
    """Return every table of the paper that the runs have data for.

    Args:
        runs: By what the column `model` calls them; several are shown one below the other.
    """
    made = [
        make(runs)
        for make in (overview, distances, correlations, paraphrases, bitexts, experts, overlaps, gains, sweeps)
    ]
    return [table for tables in made for table in tables if len(table.frame)]


def overview(runs: Runs) -> Iterator[PaperTable]:
    """Every condition with its main figures."""
    rows = []
    for label, run in runs.items():
        keys = ["condition", "target", "kind", "k"]
        both = summary_table(run).merge(behaviour_table(run), on=keys, how="outer", sort=False)
        order = {target: i for i, target in enumerate(run.config.targets)}
        both = both.sort_values("target", key=lambda own, order=order: own.map(order), kind="stable")
        rows.extend({"model": label, **row, "language": row["target"]} for row in both.to_dict("records"))
    columns = (
        Column("condition", "condition"), Column("language", "target", language=True), *SETTING,
        Column("top1", "top-1, all pairs", 3), Column("top1_from_target", "top-1, target as query", 3),
        Column("distance", "distance, all", 2), Column("distance_to_target", "distance to target", 2),
        Column("share", "share of texts in target", 3), Column("log_perplexity", "log perplexity", 2),
        Column("paraphrase", "paraphrases", 3), Column("mixed", "mixed", 3),
    )  # fmt: skip
    yield _table(
        runs, "summary", "Summary",
        "Top-1: the share of sentences whose nearest neighbour in the other language, by cosine similarity, is their "
        "translation. Distances are cosine distances. Random: the experts' values, set on as many neurons drawn from "
        "the whole network; distances may shrink under it as much, but retrieval must not gain.",
        rows, [column for column in columns if any(not pd.isna(row.get(column.name)) for row in rows)], (),
        with_setting=False,
    )  # fmt: skip


def distances(runs: Runs) -> Iterator[PaperTable]:
    """Table 1: distances between languages, to the medoid and to the target, before and after."""
    rows = []
    for label, run, table in _tables(runs, "geometry_summary"):
        before = table[table.condition == "original"].set_index("measure")
        random = table[table.condition == "random"].set_index(["kind", "k", "measure"])
        for row in table[table.condition == "steered"].to_dict("records"):
            if row["measure"] not in DISTANCES:
                continue
            who, what, group, metric = DISTANCES[row["measure"]]
            paper = published_values(("1",), run.config.model, metric, row["kind"], row["k"])
            drawn = random.reindex([(row["kind"], row["k"], row["measure"])]).iloc[0]
            rows.append(
                {
                    **_setting(label, row),
                    "language": who,
                    "distance": what,
                    "pre": before["mean"][row["measure"]],
                    "pre_error": before.standard_error[row["measure"]],
                    "post": row["mean"],
                    "post_error": row["standard_error"],
                    "random": drawn["mean"],
                    "random_error": drawn.standard_error,
                    "targets": row["targets"],
                    **_beside(paper, group, {"pre": before["mean"][row["measure"]], "post": row["mean"]}),
                }
            )
    values = (Column(name, name, 2, error=f"{name}_error") for name in ("pre", "post", "random"))
    yield _table(
        runs,
        "table-1-distances",
        "Cosine distances between languages (table 1)",
        "Means over the targets of the intervention, with standard errors where there are several.",
        rows,
        (Column("language", "of"), Column("distance", "distance"), *values),
        ("pre", "post"),
    )


def correlations(runs: Runs) -> Iterator[PaperTable]:
    """Table 2: how accuracy and distance go together over candidate languages."""
    rows = []
    for label, run, table in _tables(runs, "correlation"):
        for (target, kind, k), own in groups(table[table.condition == "steered"], ["target", "kind", "k"]):
            row = {**_setting(label, {"kind": kind, "k": k}), "language": target}
            for found in own.to_dict("records"):
                name, defined = found["correlation"], bool(found["defined"])
                metric = CORRELATIONS[name][1]
                paper = published_values(("2",), run.config.model, metric, kind, k)
                row["candidates"] = found["candidates"]
                row[name] = found["r"] if defined else None
                row |= {f"{name} low": found["low"], f"{name} high": found["high"], f"{name} p": found["p"]}
                row[f"{name} faint"] = not defined or found["p"] > 0.05
                row |= _beside(paper, target, {name: row[name]}, condition="")
            rows.append(row)
    values = [
        Column(name, heading, 2, interval=(f"{name} low", f"{name} high"), faint=f"{name} faint")
        for name, (heading, _) in CORRELATIONS.items()
    ]
    yield _table(
        runs,
        "table-2-correlations",
        "Correlations of top-1 accuracy with distance (table 2)",
        "Pearson's r over candidate languages, the target being the query, with bootstrapped intervals of 95 %. Grey "
        "(in brackets in Markdown) where p > 0.05; empty where a side is constant, so that r is not defined. acc: "
        "top-1 accuracy; d: mean cosine distance; pre and post: before and after the intervention.",
        rows,
        (LANGUAGE, Column("candidates", "candidates", 0), *values),
        tuple(CORRELATIONS),
    )


def paraphrases(runs: Runs) -> Iterator[PaperTable]:
    """Tables 3 and 5: paraphrase retrieval in the target's own language; table 6: the same on random neurons."""
    explained = (
        "Top-1 accuracy in the target language. Pre: query and candidates by the original model; post: both by the "
        "edited one; mixed: the query by the original, the candidates by the edited one."
    )
    for name, number, source, metric, subject in (
        ("table-3-5-paraphrases", ("3", "5"), "paraphrase", "paraphrase_top1", "experts (tables 3 and 5)"),
        ("table-6-paraphrases-random", ("6",), "paraphrase_random", "paraphrase_top1_random_neurons",
         "random neurons (table 6)"),
    ):  # fmt: skip
        rows = []
        for label, run, table in _tables(runs, source):
            original = run.tables.get("paraphrase", table)
            pre = original[original.condition == "pre"].set_index("language")
            own = table[(table.language == table.target) & table.condition.isin(["post", "mixed"])]
            for (target, kind, k), both in groups(own, ["target", "kind", "k"]):
                values = both.set_index("condition").top1
                found = {"post": values.get("post"), "mixed": values.get("mixed")}
                if target in pre.index:
                    found = {"pre": pre.top1[target], **found}
                paper = published_values(number, run.config.model, metric, kind, k)
                rows.append(
                    {
                        **_setting(label, {"kind": kind, "k": k}),
                        "language": target,
                        "n": both.n.iloc[0],
                        **found,
                        **_beside(paper, target, found),
                    }
                )
        columns = (LANGUAGE, Column("n", "pairs", 0), *(Column(c, c, 3) for c in ("pre", "post", "mixed")))
        yield _table(
            runs, name, f"Paraphrase retrieval, intervention on {subject}", explained, rows, columns,
            ("pre", "post", "mixed"),
        )  # fmt: skip


def bitexts(runs: Runs) -> Iterator[PaperTable]:
    """Table 7: retrieval between the target and English in Tatoeba and BUCC; with English as target, of all others."""
    rows = []
    for label, run, table in _tables(runs, "bitext"):
        table = table.assign(corpus=[_corpus(name) for name in table.corpus])
        pair = ["corpus", "query", "candidate"]
        before = table[table.condition == "original"].set_index(pair).top1
        steered = table[(table.condition == "steered") & (table.candidate == ENGLISH)]
        for row in steered[steered["query"].eq(steered.target) | steered.target.eq(ENGLISH)].to_dict("records"):
            edited = table[(table.target == row["target"]) & (table.kind == row["kind"]) & (table.k == row["k"])]
            after = edited[edited.condition == "steered"].set_index(pair).top1
            to_english = (row["corpus"], row["query"], ENGLISH)
            from_english = (row["corpus"], ENGLISH, row["query"])
            found = {"pre": before.get(to_english), "post": row["top1"]}
            metric = next((m for m in ("tatoeba", "bucc18") if row["corpus"].startswith(m[:4])), "")
            paper = published_values(("7",), run.config.model, f"{metric}_top1", row["kind"], row["k"])
            rows.append(
                {
                    **_setting(label, row),
                    "corpus": row["corpus"],
                    "target": row["target"],
                    "language": row["query"],
                    "n": row["n"],
                    **found,
                    "back_pre": before.get(from_english),
                    "back_post": after.get(from_english),
                    **_beside(paper, row["target"], found),
                }
            )
    columns = (
        Column("corpus", "corpus"), Column("target", "target", language=True), LANGUAGE, Column("n", "pairs", 0),
        Column("pre", "to English, pre", 3), Column("post", "to English, post", 3),
        Column("back_pre", "from English, pre", 3), Column("back_post", "from English, post", 3),
    )  # fmt: skip
    yield _table(
        runs,
        "table-7-bitext",
        "Retrieval between the target and English in bitext (table 7)",
        "Top-1 accuracy. To English: the query is in the other language; from English: the reverse. The paper does not "
        "say which it has; its numbers stand beside those to English.",
        rows,
        columns,
        ("pre", "post"),
    )


def experts(runs: Runs) -> Iterator[PaperTable]:
    """Section 3.2: how well the experts tell their language from the others, and where they lie."""
    rows = []
    for label, run, table in _tables(runs, "experts"):
        for row in table.to_dict("records"):
            paper = published_values(("text-3.2",), run.config.model, "mean_auroc_top_k", "set-to-mean", row["k"])
            rows.append({"model": label, **row, **_beside(paper, "all_targets", {"mean_auroc": row["mean_auroc"]}, "")})
    kinds = [str(name) for name in (rows[0] if rows else {}) if str(name).startswith("share_")]
    columns = (
        LANGUAGE, Column("k", "k", 0), Column("mean_auroc", "mean AUROC", 3), Column("lowest_auroc", "lowest", 3),
        Column("above_chance", "neurons above chance", 0), Column("median_layer", "median layer", 0),
        *(Column(name, f"share in {name.removeprefix('share_')}", 2) for name in kinds),
    )  # fmt: skip
    yield _table(
        runs, "experts", "Experts of each language (section 3.2)",
        "AUROC of a neuron's pooled response as a classifier of the language. The paper's number is the mean over its "
        "targets.",
        rows, columns, ("mean_auroc",), with_setting=False,
    )  # fmt: skip


def overlaps(runs: Runs) -> Iterator[PaperTable]:
    """Section 3.2: how many experts two languages share."""
    rows = [
        {"model": label, **row}
        for label, _, table in _tables(runs, "overlap_summary")
        for row in table.to_dict("records")
    ]
    columns = (
        Column("k", "k", 0), Column("pairs", "pairs of languages", 0), Column("mean_share", "mean share", 4),
        Column("max_share", "largest share", 4), Column("chance", "by chance", 4),
    )  # fmt: skip
    yield _table(
        runs, "overlap", "Experts that two languages share (section 3.2)",
        "As a share of k. By chance: what k neurons drawn at random would share.",
        rows, columns, (), with_setting=False,
    )  # fmt: skip


def gains(runs: Runs) -> Iterator[PaperTable]:
    """Section 5: what steering adds to retrieval with the target as query, over candidate languages."""
    rows = []
    for label, run, table in _tables(runs, "retrieval"):
        pairs = table[table["query"] != table.candidate]
        before = pairs[pairs.condition == "original"].set_index(["query", "candidate"]).top1
        edited = pairs[(pairs.condition != "original") & (pairs["query"] == pairs.target)]
        for (condition, kind, k), own in groups(edited, ["condition", "kind", "k"]):
            gain = own.top1.to_numpy() - before.reindex(own.set_index(["query", "candidate"]).index).to_numpy()
            found = {"median": float(np.median(gain)), "max": float(gain.max())}
            row = {**_setting(label, {"kind": kind, "k": k}), "condition": condition, "pairs": len(gain)}
            for name, value in found.items():
                metric = f"top1_gain_target_query_{name}" if condition == "steered" else ""
                paper = published_values(("text-5",), run.config.model, metric, kind, k)
                row |= _beside(paper, "all_targets", {name: value}, condition="")
            rows.append(row | found | {"mean": float(gain.mean()), "better": float((gain > 0).mean())})
    columns = (
        Column("condition", "condition"), Column("pairs", "candidates", 0), Column("mean", "mean", 3, signed=True),
        Column("median", "median", 3, signed=True), Column("max", "largest", 3, signed=True),
        Column("better", "share that gain", 2),
    )  # fmt: skip
    yield _table(
        runs, "gains", "Gain of top-1 accuracy with the target as query (section 5)",
        "Over the candidate languages of all targets.", rows, columns, ("median", "max"),
    )  # fmt: skip


def sweeps(runs: Runs) -> Iterator[PaperTable]:
    """Figure 3 in numbers: text in the target language against perplexity, over k."""
    rows = [
        {"model": label, **row, "language": row["target"], "rule": "picked" if row["picked"] else ""}
        for label, _, table in _tables(runs, "sweep")
        for row in table.to_dict("records")
    ]
    columns = (
        LANGUAGE, *SETTING, Column("share", "share of texts", 3, error="share_se"),
        Column("posterior", "mean posterior", 3, error="posterior_se"),
        Column("log_perplexity", "log perplexity", 3, error="standard_error"),
        Column("rise", "rise", 2, signed=True), Column("rule", "rule"),
    )  # fmt: skip
    yield _table(
        runs, "figure-3-sweep", "Text in the target language and perplexity, over k (figure 3)",
        "k = 0 is the original model. Picked: the most text in the target language among the k whose log perplexity "
        "rises by no more than the study's bound.",
        rows, columns, (), with_setting=False,
    )  # fmt: skip


def _tables(runs: Runs, name: str) -> Iterator[tuple[str, Run, pd.DataFrame]]:
    for label, run in runs.items():
        if name in run.tables:
            yield label, run, run.tables[name]


def _setting(label: str, row: Mapping) -> dict:
    return {"model": label, "kind": row["kind"], "k": row["k"]}


def _beside(paper: pd.Series, language: str, found: Mapping[str, float | None], condition: str | None = None) -> dict:
    """Return the paper's number and the difference from it for each of ours."""
    values = {}
    for name, ours in found.items():
        value = paper.get((language, name if condition is None else condition))
        values[f"{name} paper"] = value
        values[f"{name} difference"] = None if value is None or ours is None else ours - value
    return values


def _corpus(name: str) -> str:
    """Return a corpus's own name where it was given as a folder."""
    return name.rstrip("/").rsplit("/", 1)[-1]


def _table(
    runs: Runs,
    name: str,
    title: str,
    note: str,
    rows: Sequence[Mapping],
    columns: Sequence[Column],
    compared: Sequence[str],
    with_setting: bool = True,
) -> PaperTable:
    """Put a table together: the columns that tell rows apart before its own, the paper's numbers after them."""
    frame = pd.DataFrame(rows)
    lead: list[Column] = [MODEL] if len(runs) > 1 else []
    if with_setting:
        lead.extend(SETTING)
    shown = [*lead, *(column for column in columns if column.name in frame)]
    several_kinds = "kind" in frame and frame.kind.nunique() > 1
    shown = [column for column in shown if column.name != "kind" or several_kinds]
    digits = {column.name: column.digits for column in columns}
    for own in compared:
        if f"{own} paper" in frame and frame[f"{own} paper"].notna().any():
            heading = next(column.heading for column in columns if column.name == own)
            shown.append(Column(f"{own} paper", f"paper: {heading}", digits[own]))
            shown.append(Column(f"{own} difference", f"difference: {heading}", digits[own], signed=True))
        else:
            frame = frame.drop(columns=[f"{own} paper", f"{own} difference"], errors="ignore")
    unseen = {label: unseen_languages(run) for label, run in runs.items()}
    marked = any(unseen.values()) and any(column.language for column in shown)
    return PaperTable(name, title, f"{note} {UNSEEN_NOTE}" if marked else note, frame, tuple(shown), unseen)


def unseen_languages(run: Run) -> frozenset[str]:
    """Return the languages of a run that its model did not see in pre-training; none where that is not known."""
    seen = pretrained_languages(run.config)
    languages = {*run.manifest["evaluation"]["languages"], *run.manifest["probe"]["languages"]}
    return frozenset() if seen is None else frozenset(languages - seen)
