"""The paper's figures for any run, one a file: colour-blind safe, and readable at a column's width."""

from interlingua.report.figures.draw import DrawnFigure, draw_figures
from interlingua.report.figures.files import require_matplotlib, save_figure

__all__ = ["DrawnFigure", "draw_figures", "require_matplotlib", "save_figure"]
