"""A study: the experiment of the paper on one model and one corpus, from a config to a folder of results.

`config` says what is asked for, `store` keeps what was computed, `run` puts the rooms together.
"""

from interlingua.study.config import StudyConfig, load_config
from interlingua.study.run import run_study
from interlingua.study.store import Run, open_run

__all__ = ["Run", "StudyConfig", "load_config", "open_run", "run_study"]
