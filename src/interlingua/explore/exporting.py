"""What a visitor takes along: an edit as a folder or baked into a checkpoint, and the lines that make it again."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.analysis.schema import OWN_MEAN
from interlingua.errors import InputError
from interlingua.explore.edit import BY_HAND, Choice, chosen_neurons, edit_of
from interlingua.interventions import bake
from interlingua.languages import short_code

if TYPE_CHECKING:
    from interlingua.explore.session import Session

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
EXPERTS = "experts"
"""The folder that the lines keep experts in, where they were not loaded from one."""


def name_of(choice: Choice) -> str:
    """Return a name for a choice's folder.

    Example:
        >>> name_of(Choice("spa_Latn", kind="dampen", k=500))
        'dampen-es-k500'
    """
    return f"{choice.kind}-{short_code(choice.target)}-k{choice.k}"


def save_edit(session: Session, choice: Choice, name: str) -> Path:
    """Write the intervention of a choice as a folder, and return it.

    Raises:
        InterlinguaError: The name is no plain name, or the choice is not possible.
    """
    folder = _folder(session, name)
    edit_of(session, choice).save_pretrained(folder)
    return folder


def save_baked(session: Session, choice: Choice, name: str) -> Path:
    """Write the model with the choice's edit in its weights as a checkpoint, and return its folder.

    Raises:
        InterlinguaError: The name is no plain name, or the edit cannot be in the weights.
    """
    folder, edit = _folder(session, name), edit_of(session, choice)
    with session.running() as model:
        baked = bake(model, edit)
    baked.save_pretrained(folder)
    return folder


def _folder(session: Session, name: str) -> Path:
    """Return where a name goes: a plain name, so that a page cannot write outside the session's folder."""
    if not _NAME.fullmatch(name.strip()):
        raise InputError(f"'{name[:100]}' is no name for a folder: use letters, digits, '.', '-' and '_'")
    return session.folder / name.strip()


def commands(session: Session, choice: Choice) -> str:
    """Return the lines of a shell that make the choice's edit and its control, and write with the edit."""
    name, made_from = name_of(choice), session.experts_at(choice.site).made_from
    model = shlex.quote(str(made_from["model"]))
    experts = shlex.quote(str(session.sources.get(choice.site, EXPERTS)))
    lines = []
    if choice.site not in session.sources:
        languages = "".join(f" --language {code}" for code in session.experts_at(choice.site).languages)
        corpus = shlex.quote(str(made_from["corpus"]))
        lines.append(
            f"interlingua experts --model {model} --corpus {corpus}{languages} --neurons {choice.site} "
            f"--finder {choice.finder} --out {experts}"
        )
    if choice.added or choice.removed:
        lines.append("# The command line takes no neurons one by one: save the folder here, or use the Python lines.")
        name = str(session.folder / name)
    else:
        strength = "" if choice.strength == 1 else f" --strength {choice.strength:g}"
        same = f"--experts {experts} --target {choice.target} -k {choice.k} --kind {choice.kind}{strength}"
        drawn = "random" if choice.control == OWN_MEAN else f"{choice.finder} --control uniform"
        lines += [
            f"interlingua intervene {same} --finder {choice.finder} --out {name}",
            f"interlingua intervene {same} --finder {drawn} --out {name}-control",
        ]
    lines.append(f"interlingua generate --model {model} --intervention {shlex.quote(name)}")
    return "\n".join(lines)


def python_lines(session: Session, choice: Choice) -> str:
    """Return the lines of Python that make the choice's edit and its control, and write with the edit."""
    experts = session.experts_at(choice.site)
    made_from, source = experts.made_from, session.sources.get(choice.site)
    site = "" if choice.site == "outputs" else f", neurons={choice.site!r}"
    lines = ["import interlingua as il", "", f"model = il.load_model({made_from['model']!r}{site})"]
    if source is None:
        lines += [
            f"probe = il.open_corpus({made_from['corpus']!r}).parallel(languages={list(experts.languages)!r})",
            f"experts = il.find_experts(model, probe, activity=True).rank_by({choice.finder!r})",
        ]
    else:
        lines.append(f"experts = il.Experts.from_pretrained({str(source)!r}).rank_by({choice.finder!r})")
    k = str(choice.k)
    if choice.added or choice.removed:
        removed = sorted(choice.removed)
        added = [neuron for neuron in chosen_neurons(session, choice).tolist() if neuron in choice.added]
        k = "len(neurons)"
        lines += [
            f"top = experts.top({choice.target!r}, {choice.k}).tolist()",
            f"neurons = [neuron for neuron in top if neuron not in {removed}] + {added}",
            "ranking = 0 * experts.auroc",
            "ranking[:, neurons] = 1",
            f"experts = experts.with_ranking({BY_HAND!r}, ranking)",
        ]
    strength = "" if choice.strength == 1 else f".with_strength({choice.strength:g})"
    made_of = f"il.INTERVENTIONS[{choice.kind!r}]({{}}, {choice.target!r}, k={k}){strength}".format
    own_mean = made_of("experts.rank_by('random')")
    lines += [
        f"edit = {made_of('experts')}",
        f"control = {own_mean if choice.control == OWN_MEAN else 'il.random_control(edit, experts.neurons)'}",
        "with edit.applied_to(model):",
        "    print(il.generate(model, n=1)[0])",
    ]
    return "\n".join(lines)
