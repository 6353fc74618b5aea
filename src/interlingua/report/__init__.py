"""What a person reads after a study, from the run folder alone: tables, figures, one HTML page."""

from interlingua.report.answer import answer
from interlingua.report.page import write_comparison, write_report

__all__ = ["answer", "write_comparison", "write_report"]
