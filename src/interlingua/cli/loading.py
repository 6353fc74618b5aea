"""What several commands load: a model, and an intervention to run it with."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import typer

PANEL = "Loading the model"

MODEL = typer.Option(help="Packaged model, Hugging Face id, folder, or .gguf file.", rich_help_panel=PANEL)
DTYPE = typer.Option(help="auto, float32, bfloat16, float16.", rich_help_panel=PANEL)
QUANTIZE = typer.Option(metavar="4bit|8bit", help="Round weights (extra `quantized`).", rich_help_panel=PANEL)
DEVICE_MAP = typer.Option(help="auto spreads a model over all devices, in place of --device.", rich_help_panel=PANEL)
REVISION = typer.Option(help="Commit, tag or branch on the Hub.", rich_help_panel=PANEL)
TRUST = typer.Option("--trust-remote-code", help="Run code that comes with the model.", rich_help_panel=PANEL)
COMPILE = typer.Option(
    metavar="auto|on|off", help="Compile blocks for embedding and perplexity; auto where it pays.",
    rich_help_panel=PANEL,
)  # fmt: skip


@dataclass(frozen=True)
class Loading:
    """How a command's model is loaded: an option a field."""

    model: Annotated[str, MODEL] = "gemma3-270m"
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.", rich_help_panel=PANEL)] = "auto"
    dtype: Annotated[str, DTYPE] = "auto"
    quantize: Annotated[str | None, QUANTIZE] = None
    device_map: Annotated[str | None, DEVICE_MAP] = None
    revision: Annotated[str | None, REVISION] = None
    trust_remote_code: Annotated[bool, TRUST] = False
    compile: Annotated[str, COMPILE] = "auto"

    def load(self, neurons: str = "outputs") -> Any:
        """Load the model."""
        from interlingua.models import load_model
        from interlingua.models.neurons import Site

        return load_model(
            self.model,
            device=self.device,
            dtype=self.dtype,
            quantization=cast(Any, self.quantize),
            device_map=self.device_map,
            revision=self.revision,
            trust_remote_code=self.trust_remote_code,
            compile=cast(Any, self.compile),
            neurons=cast(Site, neurons),
        )


def loads_model(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `Loading` in the place of its parameter `loading`, which gets them all."""
    options = inspect.signature(Loading, eval_str=True).parameters
    asked = inspect.signature(command, eval_str=True).parameters
    parameters = [*(parameter for name, parameter in asked.items() if name != "loading"), *options.values()]

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        command(loading=Loading(**{name: given.pop(name) for name in options}), **given)

    keyword = inspect.Parameter.KEYWORD_ONLY
    signature = inspect.Signature([parameter.replace(kind=keyword) for parameter in parameters])
    with_options.__signature__ = signature  # ty: ignore[missing-attribute]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_options


def load_intervention(folder: Path | None) -> Any:
    """Load an intervention, or none."""
    from interlingua.interventions import Intervention

    return None if folder is None else Intervention.from_pretrained(folder)
