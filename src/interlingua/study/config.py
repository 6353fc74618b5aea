"""What a study is asked for: one model, corpora, targets, numbers of experts, and the measures."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import yaml
from pydantic import AfterValidator, BaseModel, Field, field_validator

from interlingua.errors import InputError
from interlingua.experts.finders import FINDERS
from interlingua.languages import parse_language
from interlingua.models.neurons import Site
from interlingua.study.presets import preset_text
from interlingua.study.sections import (
    MEASURES,
    Bitext,
    Control,
    Correlation,
    Counts,
    Generation,
    Kind,
    Languages,
    MeasureName,
    Paraphrase,
    Perplexity,
    Projection,
    Section,
    Sweep,
)

Sites = Annotated[tuple[Site, ...], AfterValidator(lambda names: tuple(dict.fromkeys(names)))]
Finders = Annotated[tuple[str, ...], AfterValidator(lambda names: _known_finders(names))]
Measures = Annotated[tuple[MeasureName, ...], AfterValidator(lambda names: tuple(dict.fromkeys(names)))]


def _known_finders(names: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := [name for name in names if name not in FINDERS]:
        raise ValueError(f"unknown finder '{unknown[0]}'; use {', '.join(FINDERS)}")
    return tuple(dict.fromkeys(names))


class StudyConfig(Section):
    """Everything that decides a study's results.

    Example:
        >>> config = StudyConfig(targets=["Spanish"], k=[2000], generation={"texts": 8})
        >>> config.targets, config.model, config.generation.texts
        (('spa_Latn',), 'gemma3-270m', 8)
    """

    model: str = Field(
        "gemma3-270m", description="a packaged model, an id on the Hugging Face Hub, a folder, or a .gguf file"
    )
    revision: str | None = Field(None, description="commit, tag or branch on the Hub")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="auto is bfloat16 where the device computes in it, else float32"
    )
    device: str = Field(
        "auto", description="auto, cpu, cuda, cuda:1, mps; all, which is every GPU; or several, as cuda:0,cuda:1"
    )
    device_map: str | None = Field(
        None, description="auto spreads a model that is larger than one GPU over all of them, in place of device"
    )
    quantization: Literal["4bit", "8bit"] | None = Field(
        None, description="round the weights when the model is loaded (extra `quantized`)"
    )
    trust_remote_code: bool = Field(False, description="run Python code that comes with the model")
    compile: Literal["auto", "on", "off"] = Field(
        "auto",
        description="whether torch compiles the model's blocks for embedding and perplexity: auto where so much is "
        "read that it pays, on a CPU with a C++ compiler; numbers differ by rounding",
    )
    mlp_endings: tuple[str, ...] | None = Field(
        None, description="names of the MLP's linear layers, for a model whose naming is unknown"
    )
    neurons: Sites = Field(
        ("outputs",),
        min_length=1,
        description="which units of MLP blocks: outputs of every linear layer (the paper's), inner (of all but a "
        "block's last), hidden (inputs of the last); several make a grid",
    )
    finders: Finders = Field(
        ("auroc",), min_length=1, description="how experts are found (`interlingua list finders`); several make a grid"
    )
    corpus: str = Field("starter", description="a registered corpus, or a folder of <split>/<code>.txt or <code>.txt")
    limit: int | None = Field(
        None, ge=1, description="the number of sentences of each language and split, from the first on"
    )
    probe_limit: int | None = Field(
        None,
        ge=1,
        description="how many of the probe's sentences are read, which cost less than those measured; by default limit",
    )
    every: int = Field(
        1, ge=1, description="measure every so many-th sentence only, which spreads few over all documents of a corpus"
    )
    targets: Languages = Field(("spa_Latn",), min_length=1, description="languages to steer to, one at a time")
    k: Counts = Field((2000,), min_length=1, description="numbers of experts, one at a time")
    k_of_target: dict[str, Annotated[Counts, Field(min_length=1)]] = Field(
        {}, description="for a target, numbers of experts in place of k, as {es: [500, 2000]}"
    )
    kinds: tuple[Kind, ...] = Field(
        (Kind(kind="set-to-mean"),),
        min_length=1,
        description="interventions: names, or mappings such as {kind: dampen, factor: 0.2, strength: 0.5}",
    )
    measures: Measures = Field(MEASURES, description=f"what is measured: {', '.join(MEASURES)}")
    control: Control = Field(Control(), description="edits of random neurons, several draws of them")
    control_measures: Measures = Field(MEASURES, description="those measures that are taken of the random control too")
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
    pooling: Literal["mean", "max", "last"] = Field(
        "mean", description="of a response, over a sentence's tokens: mean, max, last"
    )
    special_tokens: bool = Field(False, description="whether tokens that the tokenizer adds count in a response")
    max_length: int = Field(128, ge=2, description="probe sentences are cut to this many tokens")
    layer: int = Field(-1, description="which hidden state is the embedding; -1 is the last")
    seed: int = Field(0, ge=0, description="of the bootstrap and the projection")
    generation: Generation = Field(Generation(), description="free generation and the language of its texts")
    perplexity: Perplexity = Field(Perplexity(), description="perplexity of text in the target language")
    paraphrase: Paraphrase = Field(Paraphrase(), description="retrieval of paraphrases within a language")
    bitext: Bitext = Field(Bitext(), description="retrieval in bitext with English, where corpora are named")
    correlation: Correlation = Field(Correlation(), description="correlation of accuracy with distance")
    projection: Projection = Field(Projection(), description="a map of the space by UMAP")
    sweep: Sweep = Field(Sweep(), description="share of target-language text against perplexity, over k")

    @field_validator("compile", mode="before")
    @classmethod
    def _as_in_yaml(cls, compile: Any) -> Any:
        """Take `on` and `off` as YAML reads them where they have no quotes: true and false."""
        return {True: "on", False: "off"}[compile] if isinstance(compile, bool) else compile

    @field_validator("device_map")
    @classmethod
    def _one_model_of_devices(cls, device_map: str | None, others: pydantic.ValidationInfo) -> str | None:
        device = others.data.get("device", "auto")
        if device_map is not None and (device == "all" or "," in device):
            raise ValueError(f"it spreads one model over the devices, and device '{device}' has a model on each")
        return device_map

    @field_validator("k_of_target")
    @classmethod
    def _of_targets(cls, given: dict[str, Any], others: pydantic.ValidationInfo) -> dict[str, Any]:
        by_code = {parse_language(name): numbers for name, numbers in given.items()}
        if strangers := sorted(by_code.keys() - set(others.data.get("targets", by_code))):
            raise ValueError(f"{', '.join(strangers)} is no target")
        return by_code

    def k_of(self, target: str) -> tuple[int, ...]:
        """Return the numbers of experts that a target is steered with."""
        return self.k_of_target.get(target, self.k)

    @property
    def all_k(self) -> tuple[int, ...]:
        """Every number of experts that is studied, of whichever target."""
        return tuple(dict.fromkeys(k for target in self.targets for k in self.k_of(target)))

    @property
    def several_edits(self) -> bool:
        """Whether there is more than one way to edit, which tables and titles then name."""
        return len(self.kinds) * len(self.finders) * len(self.neurons) > 1


def load_config(source: str | Path | None = None, **overrides: Any) -> StudyConfig:
    """Read a study's YAML file or a preset, if one is given, and set `overrides` on top of it.

    Args:
        source: The path of a YAML file, or a name of `PRESETS`; a file of that name goes before the preset.
        overrides: Fields of `StudyConfig`.

    Raises:
        InputError: The file is missing or not YAML, or a key or value is wrong; the message says which.

    Example:
        >>> load_config("paper-bloom-7b1", device="cpu").k
        (100,)
    """
    values: dict[str, Any] = {}
    if source is not None:
        try:
            preset = None if Path(source).is_file() else preset_text(str(source))
            loaded = yaml.safe_load(preset or Path(source).read_text(encoding="utf-8"))
        except RecursionError:
            raise InputError(f"cannot read the study '{source}': its brackets nest too deeply") from None
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise InputError(f"cannot read the study '{source}': {' '.join(str(error).split())[:300]}") from None
        if not isinstance(loaded, dict | None) or not all(isinstance(key, str) for key in loaded or {}):
            raise InputError(f"'{source}' is not a study: it must hold `key: value` lines")
        values = loaded or {}
    try:
        return StudyConfig.model_validate({**values, **overrides})
    except pydantic.ValidationError as error:
        raise InputError(_explain(error, source)) from None


def _explain(error: pydantic.ValidationError, source: str | Path | None) -> str:
    origin = f"'{source}'" if source else "the study"
    problems = []
    for problem in error.errors():
        *section, key = (str(part) for part in problem["loc"])
        name = ".".join([*section, key])
        if problem["type"] == "extra_forbidden":
            near = difflib.get_close_matches(key, _keys(section), n=1)
            suggestion = f"; did you mean '{'.'.join([*section, near[0]])}'?" if near else ""
            problems.append(f"unknown key '{name}'{suggestion}")
        else:
            problems.append(f"{name}: {problem['msg'].removeprefix('Value error, ')}")
    return f"{origin} cannot be run: {'; '.join(dict.fromkeys(problems))}"


def _keys(section: list[str]) -> list[str]:
    """Return the keys of a config, or of one of its sections."""
    fields = StudyConfig.model_fields
    for name in section:
        annotation = fields[name].annotation if name in fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        fields = annotation.model_fields
    return list(fields)


def commented_yaml(config: StudyConfig) -> str:
    """Return a config as YAML in which a comment says what each key means; it loads again to the same config."""
    lines = [
        "# A study of interlingua: `interlingua study FILE.yaml`. Every key may be left out.",
        *_commented(config, indent=""),
    ]
    return "\n".join(lines) + "\n"


def _commented(section: BaseModel, indent: str) -> list[str]:
    lines = []
    values = section.model_dump(mode="json")
    for name, field in type(section).model_fields.items():
        setting = getattr(section, name)
        comment = f"{indent}# {field.description}"
        if isinstance(setting, BaseModel):
            lines += ["", comment, f"{indent}{name}:", *_commented(setting, indent + "  ")]
        else:
            value = yaml.safe_dump(values[name], default_flow_style=True, allow_unicode=True, width=10_000)
            lines += [comment, f"{indent}{name}: {value.splitlines()[0]}"]  # a second line would be the end mark
    return lines
