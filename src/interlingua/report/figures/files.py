"""Figures as files."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.errors import MissingExtraError
from interlingua.files import written_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def require_matplotlib() -> None:
    """Raise unless figures can be drawn.

    Raises:
        MissingExtraError: The extra `plots` is not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in ("matplotlib", "plotly")):
        raise MissingExtraError("drawing figures", "plots")


def save_figure(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write a figure as SVG for pages and as PDF for papers, and return both paths."""
    from matplotlib import rc_context

    svg, pdf = folder / f"{name}.svg", folder / f"{name}.pdf"
    for path in (svg, pdf):
        # Without a date and with a fixed salt for ids, the same run draws the same bytes. Type 42 fonts stay text.
        metadata = {"Date": None} if path == svg else {"CreationDate": None}
        with rc_context({"svg.hashsalt": name, "pdf.fonttype": 42}), written_whole(path) as temporary:
            figure.savefig(temporary, metadata=metadata)
    return svg, pdf
