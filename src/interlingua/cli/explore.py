"""The command `explore`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer

from interlingua.cli.console import say
from interlingua.cli.loading import Loading, loads_model
from interlingua.errors import InputError


@loads_model
def explore(
    loading: Loading,
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="Explore the model and experts of a finished study.")
    ] = None,
    experts: Annotated[
        list[Path] | None,
        typer.Option(help="What `interlingua experts` wrote; may be repeated, once a site. Without it, recorded now."),
    ] = None,
    corpus: Annotated[
        str | None, typer.Option(help="Registered corpus, or folder; its split dev is the probe. Default starter.")
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="Languages of the probe; by default the paper's six.")
    ] = None,
    aligner: Annotated[
        Path | None, typer.Option(help="What `interlingua align` wrote; by default one is fitted when needed.")
    ] = None,
    folder: Annotated[Path, typer.Option("--out", help="Where exported folders go.")] = Path("explored"),
    port: Annotated[int | None, typer.Option(help="Of this machine; by default the first free from 7860 on.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Steer, align and inspect a model on a local page; nothing leaves the machine (extra `explore`)."""
    from interlingua.explore import open_session, session_of_run
    from interlingua.explore.page.serve import require_gradio, serve
    from interlingua.study import open_run

    require_gradio()
    if run is None:
        session = open_session(
            loading.load(),
            corpus=corpus or "starter", languages=language, experts=experts or (), aligner=aligner, folder=folder,
        )  # fmt: skip
    elif experts or corpus or language or loading != Loading(device=loading.device):
        raise InputError("a run has its own model, corpus and experts; give RUN, or --model and the others")
    else:
        session = session_of_run(open_run(run), device=loading.device, aligner=aligner, folder=folder)
    page = serve(session, port=port, browser=browser)
    say(f"Exploring {session.model.name} at {page.local_url} (Ctrl-C ends it)")
    try:
        threading.Event().wait()
    finally:
        page.close(verbose=False)
