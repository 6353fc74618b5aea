"""How languages stand in figures and tables: one order, and a colour and a shape for each, the same everywhere."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable
from dataclasses import dataclass

from interlingua.languages import language_name, parse_languages

_LATIN_FAMILIES = (
    ("English", "German", "Dutch", "Afrikaans", "Danish", "Norwegian Bokmål", "Swedish", "Icelandic"),
    ("French", "Italian", "Spanish", "Portuguese", "Catalan", "Galician", "Romanian"),
    ("Czech", "Slovak", "Polish", "Slovenian", "Croatian", "Bosnian"),
)
"""Germanic, Romance and Slavic; languages of other families that are written in Latin letters follow by name."""

_FAMILY = {code: place for place, names in enumerate(_LATIN_FAMILIES) for code in parse_languages(names)}
_IN_FAMILY = [code for names in _LATIN_FAMILIES for code in parse_languages(names)]
_SCRIPTS = ("Latn", "Grek", "Cyrl", "Armn", "Geor", "Hebr", "Arab", "Deva", "Thai", "Hans", "Hant", "Jpan", "Hang")
"""The order of scripts; others follow by their code."""

_SHAPES = (
    ("o", "circle"), ("s", "square"), ("^", "triangle-up"), ("D", "diamond"), ("v", "triangle-down"), ("P", "cross"),
    ("p", "pentagon"),
)  # fmt: skip
"""Names of markers in matplotlib and in plotly."""

_LIGHTNESS = (0.30, 0.45)


@dataclass(frozen=True)
class Look:
    """How a language is drawn.

    Attributes:
        colour: As `#rrggbb`.
        marker: Its shape in matplotlib.
        symbol: The same shape in plotly.
    """

    colour: str
    marker: str
    symbol: str


def in_order(codes: Iterable[str]) -> list[str]:
    """Return languages by script, those in Latin letters by family, and then by name, each once.

    Example:
        >>> in_order(["tha_Thai", "vie_Latn", "rus_Cyrl", "spa_Latn", "deu_Latn", "eng_Latn", "fra_Latn"])
        ['eng_Latn', 'deu_Latn', 'fra_Latn', 'spa_Latn', 'vie_Latn', 'rus_Cyrl', 'tha_Thai']
    """
    return sorted(dict.fromkeys(codes), key=place)


def place(code: str) -> tuple[int, str, int, int, str]:
    """Return what languages are sorted by; see `in_order`."""
    script = code.partition("_")[2]
    of_script = _SCRIPTS.index(script) if script in _SCRIPTS else len(_SCRIPTS)
    in_family = _IN_FAMILY.index(code) if code in _FAMILY else len(_IN_FAMILY)
    return of_script, script, _FAMILY.get(code, len(_LATIN_FAMILIES)), in_family, language_name(code)


def looks(codes: Iterable[str]) -> dict[str, Look]:
    """Return how each language is drawn: no colour twice, and neighbours in the order unlike in shape and lightness.

    Example:
        >>> found = looks(["spa_Latn", "eng_Latn", "jpn_Jpan"])
        >>> list(found), found["eng_Latn"].symbol, len({look.colour for look in found.values()})
        (['eng_Latn', 'spa_Latn', 'jpn_Jpan'], 'circle', 3)
    """
    ordered = in_order(codes)
    return {code: _look(i, len(ordered)) for i, code in enumerate(ordered)}


def _look(i: int, n: int) -> Look:
    rgb = colorsys.hls_to_rgb(i / n, _LIGHTNESS[i % len(_LIGHTNESS)], 0.85)
    marker, symbol = _SHAPES[i % len(_SHAPES)]
    return Look("#" + "".join(f"{round(255 * part):02x}" for part in rgb), marker, symbol)
