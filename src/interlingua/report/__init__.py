"""What a person reads after a study, from the run folder alone: tables, figures, one HTML page."""

from interlingua.report.page import write_comparison, write_report
from interlingua.report.tables import answer, summary_table

__all__ = ["answer", "summary_table", "write_comparison", "write_report"]
