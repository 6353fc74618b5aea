"""One self-contained HTML page for a run: opens from disk, asks nothing of a network."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from interlingua.files import written_whole
from interlingua.languages import language_name
from interlingua.models.packaged import PACKAGED_MODELS
from interlingua.report.figures import draw_figures
from interlingua.report.tables import answer, summary_table
from interlingua.study import Run


def write_report(run: Run) -> Path:
    """Draw a run's figures and write its `report.html`.

    Returns:
        The path of the page.

    Raises:
        MissingExtraError: The extra `plots` is not installed.
    """
    figures = {title: _inline(path) for title, path in draw_figures(run).items()}
    environment = Environment(loader=PackageLoader("interlingua.report", "."), autoescape=True, trim_blocks=True)
    packaged = PACKAGED_MODELS.get(run.config.model)
    html = environment.get_template("page.html.j2").render(
        config=run.config,
        manifest=run.manifest,
        answers=answer(run),
        summary=summary_table(run).to_dict("records"),
        experts=run.tables["experts"].to_dict("records") if "experts" in run.tables else [],
        claims=run.tables["claims"].fillna({"kind": ""}).to_dict("records") if "claims" in run.tables else [],
        several_kinds=len(run.config.kinds) > 1,
        figures=figures,
        licence=packaged.licence if packaged else None,
        language_name=language_name,
    )
    path = run.folder / "report.html"
    with written_whole(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return path


def reported(run: Run) -> Path:
    """Return the path of a run's report, which is written unless it is newer than the run."""
    page = run.folder / "report.html"
    if page.is_file() and page.stat().st_mtime_ns >= (run.folder / "manifest.json").stat().st_mtime_ns:
        return page
    return write_report(run)


def _inline(svg: Path) -> Markup:
    """Return an SVG file as an element of a page: without its XML head, its ids made unlike those of the others."""
    text = re.sub(r"^.*?(?=<svg)", "", svg.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{svg.stem}-", text)
    return Markup(text)
