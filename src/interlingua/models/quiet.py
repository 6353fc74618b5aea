"""Transformers and huggingface_hub without their bars and warnings, which would break into ours."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager

# It warns of a cast at every layer of every pass, and on import, whoever imports it, of kernels that it lacks.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


@contextmanager
def quiet_transformers() -> Generator[None]:
    """Silence their progress bars and all messages but errors, for as long as the context lasts."""
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging as transformers_logging

    verbosity, hub_verbosity = transformers_logging.get_verbosity(), hub_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    hub_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        hub_logging.set_verbosity(hub_verbosity)
        if bars:
            transformers_logging.enable_progress_bar()
