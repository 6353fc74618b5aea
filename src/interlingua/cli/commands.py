"""All commands together, and how they end."""

from __future__ import annotations

import importlib.metadata
import os
import signal
import sys
from typing import Annotated, NoReturn

import typer

from interlingua.cli.align import align
from interlingua.cli.bake import bake
from interlingua.cli.compare import compare
from interlingua.cli.console import err, log_shown, out
from interlingua.cli.corpus import show
from interlingua.cli.embed import embed
from interlingua.cli.experts import experts
from interlingua.cli.explore import explore
from interlingua.cli.generate import generate
from interlingua.cli.intervene import intervene
from interlingua.cli.known import list_known
from interlingua.cli.perplexity import perplexity
from interlingua.cli.report import report
from interlingua.cli.study import study
from interlingua.errors import InputError, InterlinguaError

INTERRUPTED, TERMINATED = 130, 143  # the first is also what typer makes of Ctrl-C

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
for command in (study, report, experts, intervene, generate, embed, perplexity, bake, compare, align, explore):
    app.command()(command)
app.command("list")(list_known)
corpus_app = typer.Typer(no_args_is_help=True, help="Look at a corpus before using it.")
corpus_app.command()(show)
app.add_typer(corpus_app, name="corpus")


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(importlib.metadata.version("interlingua"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Find the neurons of a language model that carry a language, change them, and measure what that does."""


def main() -> None:
    """Run the command line: exit 2 on wrong input, 1 on failure, 130 when interrupted, 143 when told to end."""
    ended: list[int] = []

    def end(number: int, frame: object) -> NoReturn:
        ended.append(TERMINATED)
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, end)
    try:
        _require_text(sys.argv[1:])
        with log_shown():
            app()
    except InterlinguaError as error:
        _exit_with(str(error), error.exit_code)
    except OSError as error:
        _exit_with(str(error), InterlinguaError.exit_code)
    except KeyboardInterrupt:
        _exit_interrupted(*ended[:1])
    except SystemExit as exit_:
        if exit_.code == INTERRUPTED:
            _exit_interrupted(*ended[:1])
        raise
    finally:
        signal.signal(signal.SIGTERM, previous)


def _require_text(arguments: list[str]) -> None:
    """Raise where an argument is not text, which nothing could be printed or written of.

    Raises:
        InputError: One is not.
    """
    for argument in arguments:
        if not argument.isprintable() and any(0xD800 <= ord(letter) <= 0xDFFF for letter in argument):
            raise InputError(f"the argument {argument!r} is not text in UTF-8")


def _exit_with(reason: str, code: int) -> NoReturn:
    err.print(f"error: {reason}", markup=False, soft_wrap=True)
    sys.exit(code)


def _exit_interrupted(code: int = INTERRUPTED) -> NoReturn:
    err.print("interrupted; what was finished is kept")
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: libraries whose import was interrupted can raise once more while the interpreter winds down.
    os._exit(code)
