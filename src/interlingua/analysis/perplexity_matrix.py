"""What an edit of one language's neurons does to reading another (LAPE's perplexity matrix)."""

from __future__ import annotations

import pandas as pd

from interlingua.analysis.evidence import records
from interlingua.analysis.schema import EDIT, KEYS, ORIGINAL, Tables

COLUMNS = [*KEYS, "language", "log_perplexity", "rise"]


def perplexity_matrix(tables: Tables) -> pd.DataFrame:
    """Return by how much log perplexity rises in every language that is read, for each language that is edited.

    Source: Tang et al. 2024, figure 3: a language's own neurons ablated, its own text should suffer most.

    Args:
        tables: Of a study with `perplexity: {every_target: true}`: `perplexity` and `perplexity_others`.

    Returns:
        A tidy table: condition, target (edited), kind, k, language (read), log_perplexity and rise (above the original
        model's, in nats); empty where only the target's own text was read.
    """
    if "perplexity_others" not in tables or "perplexity" not in tables:
        return pd.DataFrame(columns=COLUMNS)
    of_target = tables["perplexity"]
    before = {row["language"]: row["log_perplexity"] for row in records(of_target[of_target.condition == ORIGINAL])}
    edited = pd.concat([of_target[of_target.condition != ORIGINAL], tables["perplexity_others"]], ignore_index=True)
    rows = edited.assign(rise=edited.log_perplexity - edited.language.map(before))
    return rows[COLUMNS].sort_values(["condition", *EDIT[1:]], kind="stable").reset_index(drop=True)
