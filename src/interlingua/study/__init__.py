"""A study: the experiment of the paper on one model and one corpus, from a config to a folder of results.

`config` (with `sections` and `presets`) says what is asked for, `plan` makes cells of it, `cells` has a function for
each measure, `cell_store` and `store` keep what was computed, `run` computes what is missing, `assemble` puts the
tables together. `estimate` says beforehand what a study costs.
"""

from interlingua.study.config import StudyConfig, commented_yaml, load_config
from interlingua.study.estimate import Estimate, estimate_study
from interlingua.study.presets import PRESETS
from interlingua.study.run import StudyError, run_study
from interlingua.study.store import Run, open_run

__all__ = [
    "PRESETS",
    "Estimate",
    "Run",
    "StudyConfig",
    "StudyError",
    "commented_yaml",
    "estimate_study",
    "load_config",
    "open_run",
    "run_study",
]
