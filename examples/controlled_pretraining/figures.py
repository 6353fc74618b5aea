"""Draw what `slope.py` wrote: outcomes by a language's share of the training text, and losses along the way.

    python figures.py results/cloned --out results/cloned

`outcomes.svg` and `losses.svg` are written.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cloning
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import linregress

from interlingua.languages import language_name
from interlingua.report.figures.files import save_figure
from interlingua.report.figures.style import CYCLE, SMALL, WIDTH, clean

OUTCOMES = {
    "text_share_gain": "gain of texts in the language",
    "rise_of_log_perplexity": "rise of log perplexity",
    "top1_gain": "gain of top-1",
    "gain_beyond_random": "gain of top-1 beyond random neurons",
    "loss": "held-out loss before steering",
    "auroc": "mean AUROC of the experts",
}
SPAN = 0.1
"""An axis spans at least so much, so that noise does not look like a slope."""


def name_of(code: str, codes: pd.Series) -> str:
    """Return what a language is called; the clone is none, and goes by the code of Korean."""
    cloned = set(codes) <= {cloning.SOURCE, cloning.CLONE}
    return "the clone" if cloned and code == cloning.CLONE else language_name(code)


def outcomes(rows: pd.DataFrame) -> Figure:
    """Draw each outcome over the share, a point a model and language, and the line of the slope."""
    rows = rows[rows.share > 0]
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    for axes, (name, title) in zip(figure.subplots(2, 3).flat, OUTCOMES.items(), strict=True):
        for colour, (language, part) in zip(CYCLE, rows.groupby("language"), strict=False):
            axes.plot(part.share, part[name], "o", color=colour, alpha=0.7, label=name_of(str(language), rows.language))
        line, ends = linregress(np.log10(rows.share), rows[name]), np.array([rows.share.min(), rows.share.max()])
        axes.plot(ends, line.intercept + line.slope * np.log10(ends), color="black", linewidth=1)
        low, high = axes.get_ylim()
        spare = max(0.0, SPAN - (high - low)) / 2
        axes.set_ylim(low - spare, high + spare)
        axes.set_xscale("log")
        shares = sorted(rows.share.unique())
        axes.set_xticks(shares, [f"{100 * share:g} %" for share in shares])
        axes.minorticks_off()
        axes.set_title(title, fontsize=SMALL)
        clean(axes)
    if rows.language.nunique() > 1:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=SMALL)
    return figure


def losses(table: pd.DataFrame) -> Figure:
    """Draw the held-out loss of each language over the steps, a line a model, by its share."""
    figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
    languages = list(dict.fromkeys(table.language))
    shares = sorted(table.share.unique())
    grid = figure.subplots(1, len(languages), sharey=True, squeeze=False)
    for axes, language in zip(grid.flat, languages, strict=True):
        for (_, share), part in table[table.language == language].groupby(["model", "share"]):
            colour = CYCLE[shares.index(share) % len(CYCLE)]
            axes.plot(part.step, part.loss, color=colour, linewidth=1, label=f"{100 * share:g} %")
        axes.set_title(name_of(language, table.language), fontsize=SMALL)
        axes.set_xlabel("step", fontsize=SMALL)
        clean(axes)
    grid.flat[0].set_ylabel("held-out loss, nats a token", fontsize=SMALL)
    named = {label: line for axes in grid.flat for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    shown = [f"{100 * share:g} %" for share in shares]
    figure.legend([named[name] for name in shown], shown, loc="outside lower center", ncols=8, fontsize=SMALL)
    return figure


def main() -> None:
    """Parse, read and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    save_figure(outcomes(pd.read_csv(arguments.results / "rows.csv")), arguments.out, "outcomes")
    save_figure(losses(pd.read_csv(arguments.results / "losses.csv")), arguments.out, "losses")


if __name__ == "__main__":
    main()
