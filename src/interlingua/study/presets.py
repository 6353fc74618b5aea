"""Studies that come with the package, by name: the default, the paper's protocol, the paper's settings."""

from __future__ import annotations

from importlib.resources import files
from itertools import takewhile

PRESETS = ("starter", "grid", "flores200", "paper-bloom-7b1", "paper-aya-23-8b", "paper-polylm-13b")


def preset_text(name: str) -> str | None:
    """Return a preset's YAML, or None where there is none of that name."""
    if name not in PRESETS:
        return None
    return (files("interlingua.study") / "preset" / f"{name}.yaml").read_text(encoding="utf-8")


def purpose_of(preset: str) -> str:
    """Return what a preset is for: the comment above its keys.

    Example:
        >>> purpose_of("starter")
        'The default: the packaged model and the bundled corpus, a few minutes on two cores. Every key has its default.'
    """
    lines = takewhile(lambda line: line.startswith("#"), (preset_text(preset) or "").splitlines())
    return "\n".join(line.removeprefix("# ") for line in lines)
