"""A study: the experiment of the paper on one model and one corpus, from a config to a folder of results.

`config` (with `sections` and `presets`) says what is asked for; `corpora` and `model` are what it is asked of; `plan`
makes cells of it, and `cells` has a function for each measure; `cell_store` and `store` keep what was computed. `run`
has the missing cells computed by a `worker`: in this process (`computing`), or on several devices and machines as a
graph of Ray tasks (`ray_graph`). `assemble` puts the tables together. `estimate` says beforehand what a study costs.

Whatever imports torch is imported where it is used, so that a study with nothing to do does not wait for it.
"""

from interlingua.study.cluster import Cluster
from interlingua.study.config import StudyConfig, commented_yaml, load_config
from interlingua.study.estimate import Estimate, estimate_study
from interlingua.study.presets import PRESETS
from interlingua.study.run import StudyError, run_study
from interlingua.study.store import Run, open_run

__all__ = [
    "PRESETS",
    "Cluster",
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
