"""The command `list`: what is known by name."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from interlingua.cli.console import out
from interlingua.errors import InputError

WHAT = ("models", "corpora", "languages", "finders", "interventions", "presets")


def list_known(
    what: Annotated[str, typer.Argument(help=f"{', '.join(WHAT)}.")],
) -> None:
    """List what is known by name."""
    rows = _listings(what)
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out.print(table)


def _listings(what: str) -> list[tuple[str, ...]]:
    if what == "models":
        return [
            *_packaged_models(),
            ("<id>", "any causal LM of the Hugging Face Hub"),
            ("<folder>", "a checkpoint on disk, or a folder with one GGUF file"),
            ("<file>.gguf", "a GGUF file, whose weights become float32 (extra 'gguf')"),
        ]
    if what == "corpora":
        from interlingua.corpora import CORPORA

        named = [
            (name, ", ".join(known.shapes), f"{known.description}\n[{known.licence}]")
            for name, known in CORPORA.items()
        ]
        return [
            *named,
            ("<folder>", "parallel", "<split>/<code>.txt or <code>.txt, line i the same sentence everywhere"),
            ("<folder>", "pairs", "<a>-<b>.<a>.txt and <a>-<b>.<b>.txt; BUCC's files; PAWS-X's <code>.tsv"),
            ("<folder>", "text", "<code>.txt, a paragraph a line"),
            ("<file>", "any", ".csv, .tsv, .jsonl, .parquet or .tmx (extra 'tmx'), a column a language"),
        ]
    if what == "languages":
        from interlingua.languages import PAPER_LANGUAGES, language_name, short_code
        from interlingua.pretraining import PRETRAINING

        codes = sorted({*PAPER_LANGUAGES, "zho_Hans"})
        complete = [known for known in PRETRAINING if known.complete]
        rows = [
            (
                code,
                short_code(code),
                language_name(code),
                ", ".join(known.family for known in complete if code in known.languages),
            )
            for code in codes
        ]
        return [
            ("code", "short", "name", "models whose makers name it as pre-trained on"),
            *rows,
            ("<code>", "", "any other language", "with an ISO 639-3 code, as in yor_Latn"),
        ]
    if what == "finders":
        from interlingua.experts.finders import FINDERS
        from interlingua.interventions.registry import explain

        return [(name, "\n".join(explain(finder))) for name, finder in FINDERS.items()]
    if what == "interventions":
        from interlingua.interventions import INTERVENTIONS, random_control
        from interlingua.interventions.registry import explain

        kinds = [(kind, "\n".join(explain(constructor))) for kind, constructor in INTERVENTIONS.items()]
        return [*kinds, ("any, with --control", "\n".join(explain(random_control)))]
    if what == "presets":
        from interlingua.study.presets import PRESETS, purpose_of

        return [(name, purpose_of(name)) for name in PRESETS]
    raise InputError(f"unknown list '{what}'; use {', '.join(WHAT)}")


def _packaged_models() -> list[tuple[str, str]]:
    from interlingua.models.packaged import PACKAGED_MODELS
    from interlingua.pretraining import pretraining_of

    rows = []
    for name, model in PACKAGED_MODELS.items():
        known = pretraining_of(name)
        lines = [
            model.description,
            f"{model.parameters:,} parameters; {model.quantisation} weights, dequantised to float32",
            f"Languages: {known.note if known else 'its makers name none'}",
            f"Terms: {model.licence}",
            f"Install: {model.install}",
        ]
        rows.append((name, "\n".join(lines)))
    return rows
