"""What several commands load: a model, and an intervention to run it with."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast


def load_model(name: str, device: str, dtype: str, trust_remote_code: bool, neurons: str = "outputs") -> Any:
    """Load a model."""
    from interlingua.models import load_model as load
    from interlingua.models.neurons import Site

    site = cast(Site, neurons)
    return load(name, device=device, dtype=dtype, trust_remote_code=trust_remote_code, neurons=site)


def load_intervention(folder: Path | None) -> Any:
    """Load an intervention, or none."""
    from interlingua.interventions import Intervention

    return None if folder is None else Intervention.from_pretrained(folder)
