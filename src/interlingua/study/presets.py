"""Studies that come with the package, by name: the default, the paper's protocol, the paper's own settings."""

from __future__ import annotations

from importlib.resources import files

PRESETS = ("starter", "grid", "flores200", "paper-bloom-7b1", "paper-aya-23-8b", "paper-polylm-13b")


def preset_text(name: str) -> str | None:
    """Return a preset's YAML, or None where there is none of that name."""
    if name not in PRESETS:
        return None
    return (files("interlingua.study") / "preset" / f"{name}.yaml").read_text(encoding="utf-8")
