"""What a search tries, and how a comparison judges."""

from __future__ import annotations

from dataclasses import dataclass

from interlingua.alignment.choose import TOLERANCE
from interlingua.alignment.edits import EditGrid
from interlingua.alignment.held_out import FOLDS
from interlingua.alignment.methods import METHODS
from interlingua.errors import InputError
from interlingua.measures.scoring import Scoring

MAX_BLOCKS = 3
SIZES = (25, 50, 100, 200, 400, 800)


@dataclass(frozen=True)
class Settings:
    """What is tried and drawn; every default is what `interlingua compare` does.

    Attributes:
        layers: Hidden states, numbered from 0; by default all.
        methods: Names of `alignment.METHODS`.
        scorings: How neighbours are scored; cosine, by which the recipe is chosen, must be among them.
        max_blocks: How many blocks a recipe may have: layers, by the mean over tokens or by SIF, each with its own map.
        sif: Whether layers are pooled by SIF too.
        dimensions: To how many dimensions a recipe of several blocks is reduced; by default it is not.
        edits: Which interventions are tried before the map; by default none.
        special_tokens: Whether tokens that the tokenizer adds count in the mean over a sentence's tokens. Layers as
            they are, with which the paper compares, are also judged with them.
        tolerance: Differences of held-out top-1 up to this are none.
        folds: Of the probe's sentences.
        seed: Of the folds, the draws and the bootstrap.
        draws: How many random parts of the probe are drawn of each size, and orders of languages.
        sizes: Numbers of probe sentences; those that the probe lacks are left out.
        resamples: Of the bootstrap over sentences.
    """

    layers: tuple[int, ...] | None = None
    methods: tuple[str, ...] = tuple(METHODS)
    scorings: tuple[Scoring, ...] = ("cosine", "csls", "margin")
    max_blocks: int = MAX_BLOCKS
    sif: bool = True
    dimensions: int | None = None
    edits: EditGrid | None = None
    special_tokens: bool = False
    tolerance: float = TOLERANCE
    folds: int = FOLDS
    seed: int = 0
    draws: int = 3
    sizes: tuple[int, ...] = SIZES
    resamples: int = 1000

    def __post_init__(self) -> None:
        unknown = [method for method in self.methods if method not in METHODS]
        if unknown or not self.methods:
            raise InputError(f"unknown method '{''.join(unknown[:1])}'; use {', '.join(METHODS)}")
        if "cosine" not in self.scorings:
            raise InputError("the recipe is chosen by cosine, so that cosine must be among the scorings")
        if self.max_blocks < 1:
            raise InputError(f"a recipe has at least one block, not {self.max_blocks}")
        if self.dimensions is not None and self.dimensions < 1:
            raise InputError(f"at least one dimension must be kept, not {self.dimensions}")
        if self.draws < 1 or self.resamples < 1:
            raise InputError("at least one draw and one resample are needed")
