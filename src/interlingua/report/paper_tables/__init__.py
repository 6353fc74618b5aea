"""The paper's tables for any run, in the paper's layout, with its numbers where the model is one of the paper's."""

from interlingua.report.layout import PaperTable
from interlingua.report.paper_tables.beside_paper import Runs, unseen_languages
from interlingua.report.paper_tables.bitexts import bitexts
from interlingua.report.paper_tables.controls import controls
from interlingua.report.paper_tables.correlations import correlations
from interlingua.report.paper_tables.distances import distances
from interlingua.report.paper_tables.experts import experts, overlaps
from interlingua.report.paper_tables.gains import gains
from interlingua.report.paper_tables.grids import grids
from interlingua.report.paper_tables.landing import landing
from interlingua.report.paper_tables.paraphrases import paraphrases
from interlingua.report.paper_tables.summary import overview
from interlingua.report.paper_tables.sweep import sweeps
from interlingua.report.paper_tables.verdicts import verdicts

__all__ = ["paper_tables", "unseen_languages"]

TABLES = (
    verdicts,
    overview,
    distances,
    landing,
    correlations,
    paraphrases,
    bitexts,
    experts,
    overlaps,
    gains,
    controls,
    grids,
    sweeps,
)


def paper_tables(runs: Runs) -> list[PaperTable]:
    """Return every table of the paper that the runs have data for.

    Args:
        runs: By what the column `model` calls them; several are shown one below the other.
    """
    return [table for make in TABLES for table in make(runs) if len(table.frame)]
