"""The parts of a study's config: how each measure is sized."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from interlingua.interventions import INTERVENTIONS
from interlingua.interventions.registry import check_options
from interlingua.languages import parse_languages

MeasureName: TypeAlias = Literal[
    "retrieval",
    "geometry",
    "correlation",
    "generation",
    "perplexity",
    "paraphrase",
    "bitext",
    "projection",
]
MEASURES: tuple[MeasureName, ...] = get_args(MeasureName)

Languages = Annotated[tuple[str, ...], AfterValidator(parse_languages)]
Count = Annotated[int, Field(ge=0)]
Counts = Annotated[tuple[Count, ...], AfterValidator(lambda counts: tuple(dict.fromkeys(counts)))]


RENAMED: dict[str, dict[str, Callable[[Any], dict[str, Any]]]] = {
    "Projection": {"neighbours": lambda value: {"n_neighbors": value}},
    "Correlation": {"all_candidates": lambda value: {}},
    "StudyConfig": {"inner": lambda value: {"neurons": ["inner"]} if value else {}},
}
"""By section and key of 0.1, what it is now."""


class Section(BaseModel):
    """A part of a config: unknown keys are errors, and nothing changes after it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _keys_of_now(cls, value: Any) -> Any:
        """Take the keys of 0.1, which the configs of its runs have."""
        if not isinstance(value, dict):
            return value
        renamed, now = RENAMED.get(cls.__name__, {}), {}
        for key, setting in value.items():
            now |= renamed[key](setting) if key in renamed else {key: setting}
        return now


class Kind(Section):
    """A kind of intervention with its options; a name alone means its default options.

    Example:
        >>> Kind.model_validate("set-to-mean").label
        'set-to-mean'
        >>> Kind.model_validate({"kind": "dampen", "factor": 0.2}).label
        'dampen factor=0.2'
    """

    kind: str = Field(description="a kind that `interlingua list interventions` names and that takes k")
    strength: float = Field(1.0, gt=0, le=1, description="1 is the whole edit")
    options: dict[str, Any] = Field(default_factory=dict, description="what else the kind takes")

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"kind": value}
        if isinstance(value, dict):
            given = {key: value[key] for key in ("kind", "strength") if key in value}
            more = {key: option for key, option in value.items() if key not in cls.model_fields}
            return {**given, "options": {**(value.get("options") or {}), **more}}
        return value

    @model_validator(mode="after")
    def _is_known(self) -> Kind:
        if self.kind not in INTERVENTIONS:
            raise ValueError(f"unknown kind '{self.kind}'; use {', '.join(INTERVENTIONS)}")
        taken = [name for name in inspect.signature(INTERVENTIONS[self.kind]).parameters if name != "experts"]
        if "k" not in taken:
            raise ValueError(f"'{self.kind}' takes no k, and a study compares kinds at equal k")
        settable = [name for name in taken if name not in ("target", "k")]
        if unknown := [name for name in self.options if name not in settable]:
            raise ValueError(
                f"'{self.kind}' takes no {', '.join(unknown)}; it takes {', '.join(settable) or 'no options'}"
            )
        check_options(self.kind, self.options)
        return self

    @property
    def label(self) -> str:
        """What the column `kind` of a table calls it."""
        options = {**self.options, **({"strength": self.strength} if self.strength != 1 else {})}
        return " ".join([self.kind, *(f"{name}={value}" for name, value in options.items())])


class Control(Section):
    """Edits of random neurons as a distribution (section 7): what neurons that are no experts would give."""

    draws: int = Field(3, ge=1, description="how many draws of random neurons, for each way of matching")
    match: tuple[Literal["uniform", "layer", "own-mean"], ...] = Field(
        ("uniform",),
        min_length=1,
        description="how they are matched to the experts: uniform (the paper's), layer (as many in each), own-mean "
        "(each set to its own mean on the target)",
    )
    full_draws: int = Field(
        1,
        ge=1,
        description="uniform draws of which all control_measures are taken; of others retrieval and geometry",
    )
    seed: int = Field(0, ge=0, description="of the draws")


class Generation(Section):
    """Free generation from the start token, and the language of its texts (section 3.3; figure 3, top)."""

    texts: int = Field(64, ge=1, description="texts a seed; the paper has 256")
    seeds: Counts = Field((0,), min_length=1, description="seeds; the paper has eight")
    max_new_tokens: int = Field(32, ge=1, description="the most tokens of a text; the paper does not say")
    temperature: float = Field(1.0, gt=0, description="divides the logits")
    top_p: float = Field(0.9, gt=0, le=1, description="sample from the fewest tokens that hold this probability")
    top_k: int = Field(50, ge=1, description="sample from this many tokens at most")
    prompts: str | None = Field(
        None,
        description="a text corpus whose paragraphs are continued besides: prompts, which is bundled, or a folder; the "
        "share of continuations in the target language is the forcing rate",
    )
    identifier: Literal["langid", "lingua"] = Field(
        "langid", description="langid is the paper's; lingua needs the extra `identify`"
    )


class Perplexity(Section):
    """Perplexity of running text in the target language (section 3.3; figure 3, bottom)."""

    corpus: str = Field("starter", description="a registered text corpus, or a folder of <code>.txt")
    characters: int | None = Field(
        20_000, ge=1, description="read paragraphs until they reach so many characters; null reads all"
    )
    tokens: int | None = Field(
        None, ge=2, description="then keep paragraphs until they reach so many tokens; the paper has 10 million"
    )
    stride: int = Field(128, ge=1, description="by how many tokens a window starts after the one before; the paper 512")
    every_target: bool = Field(
        False, description="read the text of every target in every condition: what an edit does to other languages"
    )
    window: int | None = Field(
        512, ge=2, description="the most tokens of a window; null is the model's maximum, the paper's choice"
    )

    @model_validator(mode="after")
    def _windows_meet(self) -> Perplexity:
        if self.window is not None and self.stride >= self.window:
            raise ValueError(f"a stride of {self.stride} leaves tokens between windows of {self.window}")
        return self


class Paraphrase(Section):
    """Retrieval of paraphrases within a language (section 6; tables 3, 5 and 6)."""

    corpus: str = Field("starter", description="a registered corpus of paraphrases, or a folder; pawsx is the paper's")
    languages: Languages | None = Field(
        None, description="by default all of a registered corpus that are measured, and the targets of a folder"
    )
    limit: int | None = Field(None, ge=2, description="how many pairs are read; by default the study's limit")


class Bitext(Section):
    """Retrieval in bitext with English (table 7); nothing is measured where no corpus is named."""

    corpora: tuple[str, ...] = Field((), description="registered corpora or folders, such as tatoeba, bucc2018-gold")
    languages: Languages | None = Field(
        None, description="by default the measured ones that a corpus pairs with English"
    )
    limit: int | None = Field(None, ge=2, description="how many pairs are read; by default the study's limit")


class Correlation(Section):
    """Correlation of accuracy with distance over candidate languages (section 5; table 2)."""

    resamples: int = Field(10_000, ge=1, description="bootstrap resamples")


class Projection(Section):
    """A map of the space by UMAP (appendix C; figure 6)."""

    sentences: int | None = Field(20, ge=1, description="sentences a language, drawn at random; null takes all")
    n_neighbors: int = Field(15, ge=2, description="how many make a neighbourhood; no more than there are other points")
    min_dist: float = Field(0.1, ge=0, description="how near points may lie to each other")
    text: bool = Field(
        True, description="keep the sentences for the page's map; false where they may not be passed on with results"
    )


class Sweep(Section):
    """Which k: more text in the target language against higher perplexity (section 3.3; figure 3)."""

    k: Counts = Field(
        (), description="further numbers of experts, without a random control; the paper sweeps 100 to 5000"
    )
    retrieval: bool = Field(False, description="measure retrieval and distances of these too, not the text alone")
    by: Literal["share", "posterior"] = Field(
        "share", description="what is to be largest: the share of texts in the target language, or its mean posterior"
    )
    bound: float = Field(
        1.0, ge=0, description="by how much, in nats, log perplexity may exceed the original model's for k to be picked"
    )
