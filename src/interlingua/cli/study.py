"""The command `study`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interlingua.cli.console import out
from interlingua.cli.loading import COMPILE, DEVICE_MAP, DTYPE, MODEL, PANEL, QUANTIZE, REVISION, TRUST
from interlingua.cli.options import SeenOption

if TYPE_CHECKING:
    from interlingua.study import Cluster, StudyConfig


def study(
    config: Annotated[
        str | None, typer.Argument(help="A study's YAML file, or a preset (see --print-config); options override it.")
    ] = None,
    model: Annotated[str | None, MODEL] = None,
    corpus: Annotated[str | None, typer.Option(help="Registered corpus, or folder.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Language to steer to; may be repeated.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Measure these languages only; may be repeated.")] = None,
    seen: SeenOption = None,
    k: Annotated[list[int] | None, typer.Option("-k", help="Number of experts; may be repeated.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Kind of intervention; may be repeated.")] = None,
    finder: Annotated[list[str] | None, typer.Option(help="How experts are found; may be repeated.")] = None,
    neurons: Annotated[list[str] | None, typer.Option(help="outputs, inner or hidden; may be repeated.")] = None,
    measure: Annotated[list[str] | None, typer.Option(help="Measure this only; may be repeated.")] = None,
    limit: Annotated[int | None, typer.Option(help="First N sentences of each language and split.")] = None,
    folder: Annotated[Path | None, typer.Option("--out", help="Run folder; default runs/<model>-<corpus>.")] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="auto, cpu, cuda, cuda:1, mps; all GPUs; or several, as cuda:0,cuda:1.", rich_help_panel=PANEL
        ),
    ] = None,
    dtype: Annotated[str | None, DTYPE] = None,
    quantize: Annotated[str | None, QUANTIZE] = None,
    device_map: Annotated[str | None, DEVICE_MAP] = None,
    revision: Annotated[str | None, REVISION] = None,
    trust_remote_code: Annotated[bool | None, TRUST] = None,
    compile: Annotated[str | None, COMPILE] = None,
    seed: Annotated[int | None, typer.Option(help="Of the random control.")] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS|local", help="Have a Ray cluster compute the cells (extra `ray`).")
    ] = None,
    cell_cpus: Annotated[int | None, typer.Option(min=1, help="CPUs and threads of a cell in the cluster.")] = None,
    cell_gpus: Annotated[float | None, typer.Option(min=0, help="GPUs of a cell that runs the model there.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Compute everything anew.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the cells and what they cost, without starting.")
    ] = False,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print the study as commented YAML, and end.")
    ] = False,
    status: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Print what is done, running and failed in a folder, and end.")
    ] = None,
) -> None:
    """Find experts, steer, measure before and after, and write a report.

    Whatever was computed before is kept: a second run computes what is missing.

    Presets: starter, grid, flores200, paper-bloom-7b1, paper-aya-23-8b, paper-polylm-13b.
    """
    from interlingua.study import Cluster, commented_yaml, load_config

    if status is not None:
        _print_status(status)
        return
    overrides: dict[str, Any] = {
        "model": model, "corpus": corpus, "targets": target, "k": k, "kinds": kind, "finders": finder,
        "neurons": neurons, "measures": measure, "limit": limit, "device": device, "dtype": dtype, "seed": seed,
        "languages": language, "pretrained_languages": seen, "quantization": quantize, "device_map": device_map,
        "revision": revision, "trust_remote_code": trust_remote_code, "compile": compile,
    }  # fmt: skip
    settings = load_config(config, **{key: value for key, value in overrides.items() if value is not None})
    if print_config:
        sys.stdout.write(commented_yaml(settings))
    elif dry_run:
        _print_estimate(settings, folder)
    else:
        on = None if cluster is None else Cluster(cluster, cell_cpus, cell_gpus)
        _run_study(settings, folder, fresh, on)


def _print_status(folder: Path) -> None:
    from interlingua.report.terminal import cells_summary
    from interlingua.study.cell_store import CellStore

    out.print(cells_summary(CellStore(folder).states()))


def _print_estimate(settings: StudyConfig, folder: Path | None) -> None:
    from interlingua.report.terminal import estimate_summary
    from interlingua.study import estimate_study

    out.print(estimate_summary(estimate_study(settings, folder)))


def _run_study(settings: StudyConfig, folder: Path | None, fresh: bool, cluster: Cluster | None) -> None:
    from interlingua.report.figures import require_matplotlib
    from interlingua.report.page import reported
    from interlingua.report.terminal import files_summary, study_summary
    from interlingua.study import StudyError, run_study

    require_matplotlib()
    failed = None
    try:
        run = run_study(settings, folder, fresh=fresh, cluster=cluster)
    except StudyError as error:
        failed, run = error, error.run
    page = reported(run)
    out.print(study_summary(run))
    out.print(files_summary(page))
    if failed is not None:
        raise failed
