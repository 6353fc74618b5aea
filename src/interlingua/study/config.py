"""What a study is asked for: one model, one corpus, targets, numbers of experts."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from interlingua.errors import InputError
from interlingua.languages import parse_language, parse_languages

Language = Annotated[str, AfterValidator(parse_language)]
Languages = Annotated[tuple[str, ...], AfterValidator(parse_languages)]
Count = Annotated[int, Field(ge=0)]
Counts = Annotated[tuple[Count, ...], AfterValidator(lambda counts: tuple(dict.fromkeys(counts)))]


class StudyConfig(BaseModel):
    """Everything that decides a study's results.

    Example:
        >>> config = StudyConfig(targets=["Spanish"], k=[2000])
        >>> config.targets, config.model
        (('spa_Latn',), 'gemma3-270m')
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field("gemma3-270m", description="a packaged model, an id on the Hugging Face Hub, or a folder")
    revision: str | None = Field(None, description="commit, tag or branch on the Hub")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, mps")
    trust_remote_code: bool = Field(False, description="run Python code that comes with the model")
    mlp_endings: tuple[str, ...] | None = Field(
        None, description="names of the MLP's linear layers, for a model whose naming is unknown"
    )
    inner: bool = Field(False, description="take only the neurons before an MLP's last linear layer")
    corpus: str = Field("starter", description="a registered corpus, or a folder of <split>/<code>.txt or <code>.txt")
    limit: int | None = Field(None, ge=1, description="the first so many sentences of each language and split")
    targets: Languages = Field(("spa_Latn",), min_length=1, description="languages to steer to, one at a time")
    k: Counts = Field((2000,), min_length=1, description="numbers of experts, one at a time")
    probe_languages: Languages | None = Field(
        None,
        description="languages that experts are found among; by default the paper's six where the corpus has them, "
        "and the targets, else all of the corpus",
    )
    languages: Languages | None = Field(
        None,
        description="languages that are measured; by default the paper's 22 where the corpus has them, else all",
    )
    pretrained_languages: Languages | None = Field(
        None,
        description="languages that the model was pre-trained on, so that others can be marked as unseen; by default "
        "what its makers name, for Bloom, Aya-23, PolyLM and XGLM, and unknown for others",
    )
    pooling: Literal["mean", "max", "last"] = Field("mean", description="of a response, over a sentence's tokens")
    special_tokens: bool = Field(False, description="whether tokens that the tokenizer adds count in a response")
    max_length: int = Field(128, ge=2, description="probe sentences are cut to this many tokens")
    layer: int = Field(-1, description="which hidden state is the embedding; -1 is the last")
    seed: int = Field(0, ge=0, description="of the random control")


def load_config(path: Path | None = None, **overrides: Any) -> StudyConfig:
    """Read a study's YAML file, if one is given, and set `overrides` on top of it.

    Raises:
        InputError: The file is missing or no YAML, or a key or value is wrong; the message says which.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(f"cannot read the study '{path}': {error}") from None
        if not isinstance(loaded, dict | None):
            raise InputError(f"'{path}' is no study: it must hold `key: value` lines")
        values = loaded or {}
    try:
        return StudyConfig(**{**values, **overrides})
    except pydantic.ValidationError as error:
        raise InputError(_explain(error, path)) from None


def _explain(error: pydantic.ValidationError, path: Path | None) -> str:
    origin = f"'{path}'" if path else "the study"
    problems = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            near = difflib.get_close_matches(key, StudyConfig.model_fields, n=1)
            problems.append(f"unknown key '{key}'" + (f"; did you mean '{near[0]}'?" if near else ""))
        else:
            problems.append(f"{key}: {problem['msg'].removeprefix('Value error, ')}")
    return f"{origin} cannot be run: {'; '.join(problems)}"
