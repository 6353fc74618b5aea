"""The command `intervene`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from interlingua.cli.console import say
from interlingua.errors import InputError


def intervene(
    experts_folder: Annotated[Path, typer.Option("--experts", help="What `interlingua experts` wrote.")],
    folder: Annotated[Path, typer.Option("--out", help="Folder for the intervention.")],
    target: Annotated[str | None, typer.Option(help="The language.")] = None,
    k: Annotated[int | None, typer.Option("-k", help="Number of experts.")] = None,
    finder: Annotated[
        str | None, typer.Option(help="Rank by another finder than the experts' own; see `interlingua list finders`.")
    ] = None,
    kind: Annotated[str, typer.Option(help="See `interlingua list interventions`.")] = "set-to-mean",
    option: Annotated[list[str] | None, typer.Option(help="NAME=VALUE for the kind; may be repeated.")] = None,
    strength: Annotated[float, typer.Option(help="0 changes nothing, 1 is the whole edit.")] = 1.0,
    layer: Annotated[list[int] | None, typer.Option(help="Edit these layers only; may be repeated.")] = None,
    module: Annotated[list[str] | None, typer.Option(help="Edit these kinds only, e.g. up_proj.")] = None,
    control: Annotated[str | None, typer.Option(help="Make the random control: uniform or matched.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the control.")] = 0,
) -> None:
    """Make an intervention from experts: an affine edit of neurons, as files."""
    from interlingua.experts import Experts
    from interlingua.files import require_folder
    from interlingua.interventions import make_intervention, random_control

    require_folder(folder)
    found = Experts.from_pretrained(experts_folder)
    found = found if finder is None else found.rank_by(finder)
    options = {**({"k": k} if k is not None else {}), **_parse_options(option or [])}
    edit = make_intervention(kind, found, target, options)
    if layer or module:
        edit = edit.only(found.neurons, layers=layer, modules=module)
    if control is not None:
        if control not in ("uniform", "matched"):
            raise InputError(f"unknown control '{control}'; use uniform, matched")
        edit = random_control(edit, found.neurons, seed, matched=control == "matched")
    edit = edit if strength == 1 else edit.with_strength(strength)
    edit.save_pretrained(folder)
    layers = f"{len(edit.edits)} linear layer{'s' if len(edit.edits) != 1 else ''}"
    say(f"{edit.kind}: edits {len(edit):,} neurons in {layers}\nIntervention: {folder}")


def _parse_options(options: list[str]) -> dict[str, Any]:
    import yaml

    parsed = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise InputError(f"'{option}' is not an option of a kind; write NAME=VALUE, for example factor=0.5")
        try:
            parsed[name] = yaml.safe_load(value)
        except (ValueError, RecursionError, yaml.YAMLError):
            raise InputError(f"'{option}': '{value}' is not a number, word or list") from None
    return parsed
