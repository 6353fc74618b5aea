"""C10 and C17: the experts themselves (paper, sections 3.2 and 9)."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from interlingua.analysis.claims.effect import Effect
from interlingua.analysis.evidence import NotMeasured, records, steered_targets, table_of
from interlingua.analysis.schema import STEERED, Tables, groups


def experts_hardly_overlap(tables: Tables) -> Iterator[Effect]:
    """C10: a target shares few of its experts with other languages."""
    table = table_of(tables, "overlap", ["language", "other"], ["k", "shared"])
    table = table[table.k > 0]
    chance = {row["k"]: row["chance"] for row in records(tables.get("overlap_summary", pd.DataFrame()))}
    back = table.rename(columns={"language": "other", "other": "language"})
    both = pd.concat([table, back]).assign(share=lambda rows: rows.shared / rows.k)
    targets = _targets(tables, both)
    for (k, target), rows in groups(both[both.language.isin(targets)], ["k", "language"]):
        shares = rows.share
        words = f"of {k:,} experts {shares.mean():.1%} shared with another language, {shares.max():.1%} at most"
        among = rows[rows.other.isin(targets)].share
        if len(among) and len(among) < len(shares):
            words += f", {among.mean():.1%} with another target"
        if k in chance:
            words += f"; by chance {chance[k]:.1%}"
        mean = float(shares.mean())
        yield Effect(target, None, k, STEERED, 0, -mean, -mean, -mean, words.replace("%", " %"))


def experts_are_good(tables: Tables) -> Iterator[Effect]:
    """C17: the mean AUROC of the top k experts."""
    table = table_of(tables, "experts", ["language"], ["k", "mean_auroc", "lowest_auroc"])
    table = table[table.k > 0]
    for row in records(table[table.language.isin(_targets(tables, table))]):
        value = row["mean_auroc"]
        words = f"the {row['k']:,} experts have AUROC {value:.3f} on average, {row['lowest_auroc']:.3f} at least"
        yield Effect(row["language"], None, row["k"], STEERED, 0, value, value, value, words)


def _targets(tables: Tables, table: pd.DataFrame) -> list[str]:
    """Return the targets of the study, or all languages of a table that stands alone."""
    languages = list(dict.fromkeys(table.language))
    found = [target for target in steered_targets(tables) if target in languages] or languages
    if not found:
        raise NotMeasured("there are no experts")
    return found
