"""One self-contained HTML page for a run: opens from disk, asks nothing of a network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from interlingua.analysis.schema import KEYS, groups
from interlingua.corpora import CORPORA
from interlingua.errors import InputError
from interlingua.files import written_whole
from interlingua.languages import language_name
from interlingua.models.packaged import PACKAGED_MODELS
from interlingua.report.answer import answer
from interlingua.report.charts import charts, plotly_script
from interlingua.report.figures import DrawnFigure, draw_figures
from interlingua.report.looks import in_order
from interlingua.report.names import condition_name, kind_name
from interlingua.report.paper_tables import paper_tables, unseen_languages
from interlingua.report.table_files import write_tables
from interlingua.study import Run

SAMPLES = 6
"""Texts of each condition that the page shows."""

MOST_OPEN = 12
"""Verdicts of one claim, by run, edit and k, that the page lists; more are folded, as those of a grid."""

INLINE_FIGURES = 4 * 2**20
"""Bytes of figures that the page holds; those beyond are in the folder beside it."""


def write_report(run: Run, folder: Path | None = None) -> Path:
    """Write a run's tables (CSV, LaTeX, Markdown), figures (SVG, PDF) and `report.html`.

    Args:
        run: The study.
        folder: Where to; by default the run folder.

    Returns:
        The path of the page.

    Raises:
        MissingExtraError: The extra `plots` is not installed.
    """
    folder = folder or run.folder
    script = plotly_script()
    tables = paper_tables({run.config.model: run})
    write_tables(tables, folder / "tables")
    drawn = charts(run, unseen_languages(run))
    return _write_page(
        folder / "report.html",
        title=f"{run.config.model} on {run.config.corpus}",
        answers=answer(run),
        claims=_claims({run.config.model: run}),
        tables=tables,
        figures=list(_figures(draw_figures(run, folder / "figures"))),
        charts={name: _for_script(text) for name, text in drawn.items()},
        script=Markup(script.replace("</script", "<\\/script")) if drawn else "",
        samples=list(_samples(run)),
        origins=[_origin(run)],
        configs={"": _whole_config(run)},
    )


def reported(run: Run) -> Path:
    """Return the path of a run's report, which is written unless it is newer than the run."""
    page = run.folder / "report.html"
    if page.is_file() and page.stat().st_mtime_ns >= (run.folder / "manifest.json").stat().st_mtime_ns:
        return page
    return write_report(run)


def write_comparison(runs: Sequence[Run], folder: Path) -> Path:
    """Write the tables of several runs side by side, and `comparison.html`, into a folder.

    Args:
        runs: The studies, in the order in which they are shown; of one model, they go by the names of their folders.
        folder: Where to.

    Returns:
        The path of the page.
    """
    labelled = _labelled(runs)
    tables = paper_tables(labelled)
    write_tables(tables, folder / "tables")
    return _write_page(
        folder / "comparison.html",
        title=" beside ".join(labelled),
        answers=[f"{label}: {sentence}" for label, run in labelled.items() for sentence in answer(run)],
        claims=_claims(labelled),
        tables=tables,
        figures=[],
        charts={},
        script="",
        samples=[],
        origins=[_origin(run) for run in runs],
        configs={label: _whole_config(run) for label, run in labelled.items()},
    )


def _labelled(runs: Sequence[Run]) -> dict[str, Run]:
    models = [run.config.model for run in runs]
    labels = [
        model if models.count(model) == 1 else f"{model} ({run.folder.resolve().name})"
        for model, run in zip(models, runs, strict=True)
    ]
    repeated = [label for label in labels if labels.count(label) > 1]
    if repeated:
        raise InputError(f"several runs are called '{repeated[0]}'; rename a folder to tell them apart")
    return dict(zip(labels, runs, strict=True))


def _write_page(path: Path, **content: Any) -> Path:
    environment = Environment(
        loader=PackageLoader("interlingua.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    # The identifier finds no language in some texts, such as empty ones.
    environment.filters["language"] = lambda code: "no language" if pd.isna(code) else language_name(code)
    html = environment.get_template("page.html.j2").render(**content, most_open=MOST_OPEN)
    with written_whole(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return path


def _claims(runs: Mapping[str, Run]) -> list[list[dict[str, Any]]]:
    """Return what became of each of the paper's claims by run, edit and k."""
    found: list[dict[str, Any]] = []
    for label, run in runs.items():
        for row in run.tables["claims"].to_dict("records") if "claims" in run.tables else []:
            about = [
                label if len(runs) > 1 else "",
                kind_name(run.config, row["kind"]),
                "" if pd.isna(row["k"]) else f"k = {row['k']:,}",
            ]
            found.append(
                {
                    **{str(name): value for name, value in row.items()},
                    "about": ", ".join(part for part in about if part),
                }
            )
    found.sort(key=lambda row: (int(row["claim"].removeprefix("C")), 0 if pd.isna(row["k"]) else row["k"]))
    return [list(of_one) for _, of_one in groupby(found, key=lambda row: row["claim"])]


def _figures(drawn: tuple[DrawnFigure, ...]) -> Iterator[tuple[DrawnFigure, Markup | None]]:
    """Yield each figure with its SVG as an element, or with None once the page holds enough of them."""
    size = 0
    for figure in drawn:
        size += figure.svg.stat().st_size
        yield figure, _inline(figure) if size <= INLINE_FIGURES else None


def _inline(figure: DrawnFigure) -> Markup:
    """Return a figure as an element of a page: without its XML head, its ids made unlike those of the others.

    Its alternative text is its title: who does not see it has the numbers in the tables.
    """
    text = re.sub(r"^.*?(?=<svg)", "", figure.svg.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{figure.svg.stem}-", text)
    return Markup(text.replace("<svg", Markup('<svg role="img" aria-label="{}"').format(figure.title), 1))


def _for_script(text: str) -> Markup:
    """Return JSON that may stand in a script element: no text of a corpus can end the element or a line."""
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


def _samples(run: Run) -> Iterator[tuple[str, list[Any]]]:
    """Yield the first texts of each condition at the study's own k, with their identified language."""
    if "texts" not in run.tables:
        return
    table = run.tables["texts"]
    at_k = table[table.k.isin([0, *run.config.all_k])]
    for (condition, target, kind, k), rows in groups(at_k, KEYS):
        name = condition_name(run.config, condition, kind)
        title = name if pd.isna(target) else f"{name}, {language_name(target)}, k = {k:,}"
        yield title, rows.head(SAMPLES).to_dict("records")


def _origin(run: Run) -> list[tuple[str, str]]:
    """Return what made a run, as names and values."""
    config, manifest = run.config, run.manifest
    model, probe, evaluation = manifest["model"], manifest["probe"], manifest["evaluation"]
    packaged, source = PACKAGED_MODELS.get(config.model), CORPORA.get(config.corpus)
    parts = [
        ("model", f"{config.model}{f' at {revision}' if (revision := model.get('revision')) else ''}, "
         f"{model['mlp_neurons']:,} MLP neurons, {model['dtype']} on {model['device']}"),
        ("model's terms", packaged.licence if packaged else ""),
        ("probe", f"{probe['corpus']}: {probe['sentences']:,} sentences in {', '.join(in_order(probe['languages']))}; "
         f"{probe['truncated']} truncated; SHA-256 {probe['sha256'][:16]}"),
        ("evaluation", f"{evaluation['corpus']}: {evaluation['sentences']:,} sentences in "
         f"{', '.join(in_order(evaluation['languages']))}; SHA-256 {evaluation['sha256'][:16]}"),
        ("corpus's terms", source.licence if source else ""),
        ("failed", "; ".join(f"{cell['cell']}: {cell['error']}" for cell in manifest.get("failed", []))),
        ("versions", f"interlingua {manifest['interlingua']}, torch {manifest['torch']}, transformers "
         f"{manifest['transformers']}, numpy {manifest['numpy']}, Python {manifest['python']}"),
        ("took", f"{manifest['seconds']:,.0f} s of computing in {manifest['cells']} cells"),
        ("command", "interlingua study study.yaml, with the config below"),
    ]  # fmt: skip
    return [(name, value) for name, value in parts if value]


def _whole_config(run: Run) -> str:
    """Return a run's resolved config: every key, those that were left at their defaults too."""
    made_by = run.manifest["interlingua"]
    earlier = f"# By interlingua {made_by}; a key that it did not have has today's default.\n"
    config = yaml.safe_dump(run.config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    return config if made_by == version("interlingua") else earlier + config
