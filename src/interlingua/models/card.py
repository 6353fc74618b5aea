"""Cards: the README.md of whatever is saved, in the form of the Hugging Face Hub, a few kB at most."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from huggingface_hub import ModelCardData

from interlingua.languages import language_name, short_code
from interlingua.markdown import markdown_table
from interlingua.models.terms import Terms

LEFT_OUT = (
    "config", "corpus_sha256", "device", "edit", "neurons", "probe", "tokenizer", "torch", "transformers", "weights",
)  # fmt: skip
"""Manifest keys that cards leave out."""

LONGEST = 300
MOST_ROWS = 30


def card(
    title: str,
    terms: Terms,
    *,
    what: str,
    how: str,
    snippet: str,
    measured: str = "",
    languages: Iterable[str] = (),
    library: str = "interlingua",
    task: str | None = None,
    derived: str | None = None,
) -> str:
    """Return the text of a card.

    Args:
        title: Its heading.
        terms: Of the base model.
        what: What this is, a paragraph or more.
        how: How it was made; `as_list` makes this of the facts of a manifest.
        snippet: Python code that uses it, run in its folder.
        measured: Figures, and on what they stand.
        languages: FLORES-200 codes of the languages that it is about.
        library: What loads it.
        task: The Hub's name of what it is for, for example `text-generation`.
        derived: What it is to its base model: `finetune` of a checkpoint.
    """
    codes = list(dict.fromkeys(short_code(code) for code in languages))
    data = ModelCardData(
        base_model=terms.base if terms.on_hub else None,
        base_model_relation=derived if terms.on_hub else None,
        language=codes or None,
        library_name=library,
        license=terms.licence,
        pipeline_tag=task,
        tags=["interlingua"],
    )
    sections = [
        f"---\n{data.to_yaml()}\n---\n\n# {title}",
        what,
        f"The weights of {terms.base} had been rounded to {terms.rounded}, and are numbers of full width again: what "
        "the original model gives may differ."
        if terms.rounded
        else "",
        f"```python\n{snippet.strip()}\n```",
        _section("How it was made", how),
        _section("Measured", measured),
        _section("Licence and terms", terms.text),
        f"Written by interlingua {version('interlingua')}.",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def card_of_checkpoint(terms: Terms, baked: Sequence[Mapping[str, Any]], *, needs_code: bool) -> str:
    """Return the text of a checkpoint's card.

    Args:
        terms: Of the base model.
        baked: What each intervention that its weights hold says of itself.
        needs_code: Whether it brings code that must run.
    """
    trust = ", trust_remote_code=True" if needs_code else ""
    code = "" if not needs_code else (
        "\n\nThe edits need biases that the architecture lacks, so that it comes with a dozen lines of code, "
        "`modeling_baked.py`: read it, then allow it."
    )  # fmt: skip
    edits = "".join(f"### Edit {i}\n\n{as_list(edit)}\n\n" for i, edit in enumerate(baked, 1)).strip()
    return card(
        f"{terms.base}, steered" if baked else terms.base,
        terms,
        what=(
            f"{terms.base} with its weights changed: edits of its MLP neurons are written into them, so that it runs "
            f"steered and needs nothing else.{code}"
            if baked
            else f"{terms.base}, as interlingua loaded it."
        ),
        how=edits,
        measured="Nothing is recorded with it. `interlingua study` measures what an edit does, beside random neurons."
        if baked
        else "",
        languages=[str(edit["target"]) for edit in baked if edit.get("target")],
        library="transformers",
        task="text-generation",
        derived="finetune" if baked else None,
        snippet=(
            'from transformers import pipeline\n\nwrite = pipeline("text-generation", model="."'
            f'{trust})\nprint(write("It", max_new_tokens=20, do_sample=False)[0]["generated_text"])'
        ),
    )


def as_list(facts: Mapping[str, Any]) -> str:
    """Return facts as a list, a line each; the longest are cut."""
    lines = []
    for name, value in plain_facts(facts).items():
        parts = value.items() if isinstance(value, dict) else ()
        text = ", ".join(f"{part} {of}" for part, of in parts) or _in_words(value)
        lines.append(f"- {name}: {text if len(text) <= LONGEST else text[:LONGEST] + ' ...'}")
    return "\n".join(lines)


def plain_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that a reader wants: no checksums, nothing empty; of a model in a folder only the folder."""
    kept = {name: value for name, value in facts.items() if name not in LEFT_OUT and value not in (None, "", [], ())}
    if "model" in kept:
        kept["model"] = shown_name(str(kept["model"]))
    return {name: plain_facts(value) if isinstance(value, dict) else value for name, value in kept.items()}


def shown_name(model: str) -> str:
    """Return the name of a model without the folders of the machine where it was: of an absolute path the last part."""
    return model.rstrip("/").rpartition("/")[2] if model.startswith(("/", "~")) else model


def table_of(header: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, of names and numbers: its first rows where it is long."""
    more = f"\n\nAnd {len(cells) - MOST_ROWS} more." if len(cells) > MOST_ROWS else ""
    return markdown_table(header, cells[:MOST_ROWS], [name != header[0] for name in header]) + more


def named(languages: Iterable[str]) -> str:
    """Return languages by name and code, for a sentence."""
    names = [f"{language_name(code)} ({code})" for code in languages]
    return ", ".join(names[:MOST_ROWS]) + (f" and {len(names) - MOST_ROWS} more" if len(names) > MOST_ROWS else "")


def _in_words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _section(heading: str, text: str) -> str:
    return f"## {heading}\n\n{text}" if text else ""
