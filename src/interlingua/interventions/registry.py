"""The interventions known by name. A new one is a file with a constructor, and a line here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from interlingua.errors import InputError, InterlinguaError
from interlingua.interventions.ablate import ablate
from interlingua.interventions.add import add
from interlingua.interventions.aura import aura
from interlingua.interventions.contrastive_vector import contrastive_vector
from interlingua.interventions.dampen import dampen
from interlingua.interventions.intervention import Intervention
from interlingua.interventions.linear_transport import linear_transport
from interlingua.interventions.mean_shift import mean_shift
from interlingua.interventions.neutralise import neutralise
from interlingua.interventions.set_to_mean import set_to_mean
from interlingua.interventions.swap import swap
from interlingua.valid import first_error

if TYPE_CHECKING:
    from interlingua.experts import Experts

INTERVENTIONS: dict[str, Callable[..., Intervention]] = {
    "set-to-mean": set_to_mean,
    "ablate": ablate,
    "dampen": dampen,
    "aura": aura,
    "add": add,
    "mean-shift": mean_shift,
    "linear-transport": linear_transport,
    "contrastive-vector": contrastive_vector,
    "neutralise": neutralise,
    "swap": swap,
}


def make_intervention(kind: str, experts: Experts, target: str | None, options: Mapping[str, Any]) -> Intervention:
    """Make an intervention by the name of its kind.

    Args:
        kind: A key of `INTERVENTIONS`.
        experts: Of the model.
        target: The language; None for a kind that needs none.
        options: What else the constructor takes, `k` for example.

    Raises:
        InputError: The kind is unknown, or takes no such option, or needs one that is missing.

    Example:
        Of `experts` of six neurons:

        >>> make_intervention("dampen", experts, "Spanish", {"k": 2, "factor": 0.1}).parameters["factor"]
        0.1
    """
    if kind not in INTERVENTIONS:
        raise InputError(f"unknown kind '{kind}'; use {', '.join(INTERVENTIONS)}")
    constructor = INTERVENTIONS[kind]
    given = {**({"target": target} if target is not None else {}), **options}
    parameters = inspect.signature(constructor).parameters
    unknown = sorted(set(given) - set(parameters))
    if unknown:
        takes = ", ".join(name for name in parameters if name != "experts")
        raise InputError(f"'{kind}' takes no {', '.join(unknown)}; it takes {takes}")
    missing = [
        name
        for name, parameter in parameters.items()
        if name != "experts" and name not in given and parameter.default is parameter.empty
    ]
    if missing:
        raise InputError(f"'{kind}' needs {' and '.join(missing)}")
    check_options(kind, options)
    try:
        return constructor(experts, **given)
    except InterlinguaError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"'{kind}' cannot take these options: {error}") from error


def check_options(kind: str, options: Mapping[str, Any]) -> None:
    """Raise where an option has a value of another type than its constructor takes, or one that is not finite.

    Raises:
        InputError: One has.

    Example:
        >>> check_options("dampen", {"factor": "half"})
        Traceback (most recent call last):
        ...
        interlingua.errors.InputError: 'dampen' cannot take factor=half: Input should be a valid number, unable to ...
    """
    hints = get_type_hints(INTERVENTIONS[kind], localns={"Experts": object, "Intervention": object})
    for name, value in options.items():
        if name not in hints:
            continue
        try:
            TypeAdapter(hints[name], config={"allow_inf_nan": False}).validate_python(value)
        except ValidationError as error:
            raise InputError(f"'{kind}' cannot take {name}={value}: {first_error(error)}") from None


def explain(constructor: Callable[..., object]) -> tuple[str, str]:
    """Return what a constructor or finder does and where it comes from, a line each, from its docstring."""
    lines = (inspect.getdoc(constructor) or "").splitlines()
    return lines[0], next(line for line in lines if line.startswith("Source: "))
