"""The card of experts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from interlingua.models.card import as_list, card, named, shown_name, table_of
from interlingua.models.terms import terms_of

if TYPE_CHECKING:
    import pandas as pd

OF_CARD = 100
"""How many of a language's neurons the figures of a card are about."""


def card_of_experts(
    made_from: Mapping[str, Any],
    languages: Sequence[str],
    ranked_by: str,
    summary: pd.DataFrame,
    neurons: str,
    sentences: str,
) -> str:
    """Return the text of the card.

    Args:
        made_from: Model, corpus and options.
        languages: FLORES-200 codes.
        ranked_by: The finder.
        summary: `Experts.summary` of the top `OF_CARD`.
        neurons: How many there are, in words.
        sentences: How many sentences each language was probed with, in words.
    """
    best = [
        (row["language"], f"{row['mean_auroc']:.3f}", f"{row['mean_selectivity']:.3f}")
        for row in summary.to_dict("records")
    ]
    return card(
        f"Language experts of {shown_name(made_from['model'])}",
        terms_of(made_from["model"]),
        what=(
            f"How well each of {neurons} tells each language from the others, and what it answers to that language: "
            f"{named(languages)}. Found with {sentences} a language."
        ),
        how=as_list({**made_from, "ranked_by": ranked_by}),
        measured=(
            f"The {summary.k.iloc[0]} best neurons of each language by {ranked_by}: their mean AUROC, and by how much "
            "it exceeds their highest for another language. These are the sentences they were chosen with; on others "
            "expect less.\n\n" + table_of(("language", "AUROC", "selectivity"), best)
        ),
        languages=languages,
        snippet=f'import interlingua as il\n\nprint(il.Experts.from_pretrained(".").table("{languages[0]}"))',
    )
