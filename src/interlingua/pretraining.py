"""The languages that models saw in pre-training, as far as their makers say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from interlingua.errors import LanguageError
from interlingua.languages import parse_language, parse_languages
from interlingua.valid import read_json


@dataclass(frozen=True)
class Pretraining:
    """What the makers of a family of models say of its languages.

    Attributes:
        family: Its name.
        models: A pattern of the names that its models have on the Hub, in lower case, without the organisation.
        languages: The FLORES-200 codes of the languages that are named.
        complete: Whether the makers name all languages of the data. If not, nobody can tell which it has not seen.
        source: Where they say so.
        note: What a reader should know, and where the paper says something else.
    """

    family: str
    models: str
    languages: frozenset[str]
    complete: bool
    source: str
    note: str = ""


def _codes(listed: str) -> frozenset[str]:
    return frozenset(parse_languages(listed.split()))


PRETRAINING = (
    Pretraining(
        family="Bloom",
        models=r"bloomz?(-(560m|1b1|1b3|1b7|2b5|3b|6b3|7b1))?(-(mt|p3|intermediate))?",
        languages=_codes(
            "ak ar as bm bn ca en es eu fon fr gu hi id ig ki kn lg ln ml mr ne nso ny or pa pt rn rw sn st sw ta te "
            "tn ts tum tw ur vi wo xh yo zho_Hans zho_Hant zu"
        ),
        complete=True,
        source="https://huggingface.co/bigscience/bloom (its 46 natural languages, Chinese in two scripts)",
        note="The paper (section 3.3) agrees that German and Japanese are absent, though section 3.1 calls its five "
        "targets well represented in all three models. Its 22 languages are said to be the union over the models "
        "(section 4): of Aya-23 and PolyLM they are, but this card names Catalan, Basque, Bengali and others too.",
    ),
    Pretraining(
        family="Aya-23",
        models=r"aya-23-(8b|35b)",
        languages=_codes("ar zho_Hans zho_Hant cs nl en fr de el he hi id it ja ko fa pl pt ro ru es tr uk vi"),
        complete=True,
        source="https://huggingface.co/CohereForAI/aya-23-8B (its 23 languages, Chinese in two scripts)",
        note="The card names the languages that the model covers; by the report (arXiv 2405.15032) they are those "
        "included in pre-training, but no list of that data is given apart. Of the paper's 22 it lacks Thai.",
    ),
    Pretraining(
        family="PolyLM",
        models=r"polylm-((chat|multialpaca|assistant)-)?(13b|1\.7b)",
        languages=_codes("zh en es de fr pt ru it ar ja ko th vi id pl tr nl he"),
        complete=True,
        source="https://huggingface.co/DAMO-NLP-MT/polylm-13b (its 18 languages)",
        note="Of the paper's 22 it lacks Czech, Greek, Hindi, Persian, Romanian and Ukrainian.",
    ),
    Pretraining(
        family="XGLM",
        models=r"xglm-(564m|1\.7b|2\.9b|7\.5b)",
        languages=_codes("en ru zh de es fr ja it pt el ko fi id tr ar vi th bg ca hi et bn ta ur sw te eu my ht qu"),
        complete=True,
        source="https://huggingface.co/facebook/xglm-7.5B (table of its 30 languages)",
        note="XGLM-4.5B was trained on another mixture, and is not meant.",
    ),
    Pretraining(
        family="Llama 3.1, 3.2 and 3.3",
        models=r"(meta-)?llama-3\.[123]-.*",
        languages=_codes("en de fr it pt hi es th"),
        complete=False,
        source="https://huggingface.co/meta-llama/Llama-3.1-8B (its 8 supported languages)",
        note="The card says that the data has more languages than the supported ones, and does not name them.",
    ),
    Pretraining(
        family="Llama 3",
        models=r"(meta-)?llama-3-.*",
        languages=_codes("en"),
        complete=False,
        source="https://ai.meta.com/blog/meta-llama-3",
        note="Over 5 % of the data is said to be in more than 30 languages besides English, which are not named.",
    ),
    Pretraining(
        family="SmolLM2",
        models=r"smollm2-.*",
        languages=_codes("en"),
        complete=False,
        source="https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct",
        note="The card says that it is primarily English, and names no other language.",
    ),
    Pretraining(
        family="Gemma 3",
        models=r"gemma-?3-.*",
        languages=frozenset(),
        complete=False,
        source="https://huggingface.co/google/gemma-3-27b-it",
        note="The card says over 140 languages, and names none of them.",
    ),
)
"""What is known of the languages of models' pre-training data. Of other models nothing is."""


def pretraining_of(model: str | Path) -> Pretraining | None:
    """Return what is known of a model's languages, or `None`.

    Args:
        model: An id on the Hub, a packaged model, or a folder that is named as the model.

    Example:
        >>> pretraining_of("google/gemma-3-270m").note
        'The card says over 140 languages, and names none of them.'
    """
    parts = [part for name in Path(model).parts for part in name.lower().split("--")]
    for known in PRETRAINING:
        if any(re.fullmatch(known.models, part) for part in parts):
            return known
    return None


def seen_languages(model: str | Path) -> frozenset[str] | None:
    """Return the languages that a model was pre-trained on, or `None` where they are not known.

    They are known where the makers name all of them: for Bloom, Aya-23, PolyLM and XGLM (`PRETRAINING` has the
    sources). Llama 3 and Gemma 3 were trained on more languages than are named, so that none can be said to be unseen.
    Of a model of your own they are known where the `config.json` of its folder has `language_shares`, the share of the
    training text by language, as those of `examples/controlled_pretraining` have.

    Args:
        model: An id on the Hub, a packaged model, or a folder that is named as the model.

    Returns:
        FLORES-200 codes.

    Example:
        >>> from interlingua.languages import PAPER_TARGETS
        >>> seen = seen_languages("bigscience/bloom-7b1")
        >>> [code for code in PAPER_TARGETS if code not in seen]
        ['deu_Latn', 'jpn_Jpan']
        >>> seen_languages("google/gemma-3-270m") is None
        True
    """
    if (shares := language_shares(model)) is not None:
        return frozenset(code for code, share in shares.items() if share > 0)
    known = pretraining_of(model)
    return known.languages if known is not None and known.complete else None


def language_shares(model: str | Path) -> dict[str, float] | None:
    """Return the share of each language in a model's training text, where the folder of the model records it."""
    try:
        shares = read_json(Path(model) / "config.json")["language_shares"]
        return {parse_language(name): float(share) for name, share in shares.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, LanguageError):
        return None
