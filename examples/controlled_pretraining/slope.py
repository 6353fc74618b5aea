"""What a language's share of the training text decides: a row a model, and a slope over models.

    python slope.py runs/cloned-* --models models --compared compared --language kor_Hang --out results/cloned

A run is named as the checkpoint that it studied. For each language that is named: its share, the held-out loss, the
mean AUROC of its experts, the share of texts in it before and after steering to it and for one draw of random neurons,
its log perplexity before and after, and retrieval between the languages before, after, and for random neurons on
average, with the rank of the experts among those draws. The slope is that of a line over the logarithm of the share, a
model and language a point, with a 95 % interval. `rows.csv`, `slopes.csv`, `losses.csv` (the held-out losses along the
way) and `spaces.csv` (what `interlingua compare` finds in each model before any steering: in its best layer as it is,
with each language's mean subtracted, and behind a fitted map) are written.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.stats import linregress, t

import interlingua as il
from interlingua.study import Run

OUTCOMES = ("auroc", "top1_gain", "gain_beyond_random", "lands_on_target", "text_share_gain", "rise_of_log_perplexity")


def row_of(run: Run, model: Path, language: str) -> dict[str, object]:
    """Return what a run says of steering to a language."""
    training = yaml.safe_load((model / "training.yaml").read_text(encoding="utf-8"))
    losses = pd.read_csv(model / "loss.csv").query("language == @language").sort_values("step")
    top1 = _by_condition(run.tables["retrieval"].query("query != candidate"), "top1", language)
    draws = run.tables["control_retrieval"].query("target == @language and query != candidate")
    by_draw = draws.groupby(["match", "draw"]).top1.mean()
    uniform = np.append(by_draw.loc["uniform"].to_numpy(), top1["random"])
    text = _by_condition(run.tables["generation"], "share", language)
    perplexity = _by_condition(run.tables["perplexity"].query("language == @language"), "log_perplexity", language)
    landing = run.tables["landing"].query("target == @language").set_index("condition")
    experts = run.tables["experts"].query("language == @language")
    return {
        "model": model.name,
        "language": language,
        "share": training["shares"][language],
        "seed": training["seed"],
        "loss": losses.loss.iloc[-1],
        "auroc": experts.mean_auroc.mean(),
        "top1": top1["original"],
        "top1_steered": top1["steered"],
        "top1_random": uniform.mean(),
        "top1_gain": top1["steered"] - top1["original"],
        "gain_beyond_random": top1["steered"] - uniform.mean(),
        "p": (1 + (uniform >= top1["steered"]).sum()) / (len(uniform) + 1),
        "lands_on_target": landing.loc["steered", "share"],
        "text_share": text["original"],
        "text_share_random": text["random"],
        "text_share_gain": text["steered"] - text["original"],
        "log_perplexity": perplexity["original"],
        "rise_of_log_perplexity": perplexity["steered"] - perplexity["original"],
    }


def _by_condition(table: pd.DataFrame, value: str, target: str) -> dict[str, float]:
    """Return the mean of a column in each condition, those of a target and the original."""
    about = table[table.target.isna() | (table.target == target)]
    if "language" in about and value == "share":
        about = about[about.language == target]
    return about.groupby("condition")[value].mean().to_dict()


def slope(rows: pd.DataFrame, outcome: str) -> dict[str, object]:
    """Return the slope of an outcome over log10 of the share, with Student's interval over the models."""
    known = rows[rows.share > 0]
    line = linregress(np.log10(known.share), known[outcome])
    reach = t.ppf(0.975, len(known) - 2) * line.stderr
    return {
        "outcome": outcome,
        "slope": line.slope,
        "low": line.slope - reach,
        "high": line.slope + reach,
        "r": line.rvalue,
        "points": len(known),
    }


def losses_of(models: list[Path]) -> pd.DataFrame:
    """Return the held-out losses of all models: model, share, step, language, loss."""
    tables = []
    for model in models:
        shares = yaml.safe_load((model / "training.yaml").read_text(encoding="utf-8"))["shares"]
        table = pd.read_csv(model / "loss.csv").drop_duplicates(["step", "language"])
        table.insert(0, "share", table.language.map(shares))
        table.insert(0, "model", model.name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def spaces_of(model: Path, compared: Path) -> pd.DataFrame:
    """Return top-1 in a model's best layer, by method: model, method, layers, held_out, top1, low, high."""
    ranking = pd.read_csv(compared / model.name / "ranking.csv")
    best = ranking[~ranking.special_tokens].sort_values("held_out").groupby("method").tail(1)
    table = best[["method", "layers", "held_out", "top1", "low", "high"]].sort_values("method")
    table.insert(0, "model", model.name)
    return table


def main() -> None:
    """Parse, collect and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--compared", type=Path, required=True)
    parser.add_argument("--language", action="append", required=True, help="may be repeated")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rows = pd.DataFrame(
        row_of(il.open_run(run), arguments.models / run.name, language)
        for run in arguments.runs
        for language in arguments.language
    )
    rows = rows.sort_values(["share", "seed"])
    slopes = pd.DataFrame([slope(rows, outcome) for outcome in OUTCOMES])
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows.round(4).to_csv(arguments.out / "rows.csv", index=False, quoting=csv.QUOTE_MINIMAL)
    slopes.round(4).to_csv(arguments.out / "slopes.csv", index=False)
    models = [arguments.models / run.name for run in arguments.runs]
    losses_of(models).to_csv(arguments.out / "losses.csv", index=False)
    spaces = pd.concat([spaces_of(model, arguments.compared) for model in models])
    spaces.round(4).to_csv(arguments.out / "spaces.csv", index=False)
    print(rows.round(3).to_string(index=False))
    print(slopes.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
