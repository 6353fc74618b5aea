"""The command line: parses, calls, prints."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from interlingua.errors import InterlinguaError
from interlingua.progress import shown_progress

if TYPE_CHECKING:
    from interlingua.study import Cluster, StudyConfig

INTERRUPTED = 130  # which is also what typer makes of Ctrl-C

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find the neurons of a language model that carry a language, change them, and measure what that does.",
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def main() -> None:
    """Run the command line: exit 2 on wrong input, 1 on failure, 130 when interrupted."""
    try:
        app()
    except InterlinguaError as error:
        err.print(f"error: {error}", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except OSError as error:
        err.print(f"error: {error}", markup=False, soft_wrap=True)
        sys.exit(InterlinguaError.exit_code)
    except KeyboardInterrupt:
        _exit_interrupted()
    except SystemExit as exit_:
        if exit_.code == INTERRUPTED:
            _exit_interrupted()
        raise


def _exit_interrupted() -> NoReturn:
    err.print("interrupted; what was finished is kept")
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: libraries whose import was interrupted can raise once more while the interpreter winds down.
    os._exit(INTERRUPTED)


SAMPLE_LENGTH = 80
DEFAULT_MODEL = "gemma3-270m"
ModelOption = Annotated[str, typer.Option(help="Packaged model, Hugging Face id, or folder.")]
InterventionOption = Annotated[Path | None, typer.Option(help="Steer with what `interlingua intervene` wrote.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
DtypeOption = Annotated[str, typer.Option(help="auto, float32, bfloat16, float16.")]
TrustOption = Annotated[bool, typer.Option("--trust-remote-code", help="Run code that comes with the model.")]


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
    pass


@app.command()
def study(
    config: Annotated[
        str | None, typer.Argument(help="A study's YAML file, or a preset (see --print-config); options override it.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Packaged model, Hugging Face id, or folder.")] = None,
    corpus: Annotated[str | None, typer.Option(help="Registered corpus, or folder.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Language to steer to; may be repeated.")] = None,
    k: Annotated[list[int] | None, typer.Option("-k", help="Number of experts; may be repeated.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Kind of intervention; may be repeated.")] = None,
    measure: Annotated[list[str] | None, typer.Option(help="Measure this only; may be repeated.")] = None,
    limit: Annotated[int | None, typer.Option(help="First N sentences of each language and split.")] = None,
    folder: Annotated[Path | None, typer.Option("--out", help="Run folder; default runs/<model>-<corpus>.")] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, cuda:1, mps; all GPUs; or several, as cuda:0,cuda:1.")
    ] = None,
    dtype: Annotated[str | None, typer.Option(help="auto, float32, bfloat16, float16.")] = None,
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

    Presets: starter, flores200, paper-bloom-7b1, paper-aya-23-8b, paper-polylm-13b.
    """
    from interlingua.study import Cluster, commented_yaml, load_config

    if status is not None:
        _print_status(status)
        return
    overrides: dict[str, Any] = {
        "model": model, "corpus": corpus, "targets": target, "k": k, "kinds": kind, "measures": measure,
        "limit": limit, "device": device, "dtype": dtype, "seed": seed,
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

    with shown_progress(err) as progress:
        out.print(estimate_summary(estimate_study(settings, folder, progress=progress, say=_say)))


def _run_study(settings: StudyConfig, folder: Path | None, fresh: bool, cluster: Cluster | None) -> None:
    from interlingua.report.figures import require_matplotlib
    from interlingua.report.page import reported
    from interlingua.report.terminal import files_summary, study_summary
    from interlingua.study import StudyError, run_study

    require_matplotlib()
    failed = None
    try:
        with shown_progress(out) as progress:
            run = run_study(settings, folder, fresh=fresh, cluster=cluster, progress=progress, say=_say)
    except StudyError as error:
        failed, run = error, error.run
    page = reported(run)
    out.print(study_summary(run))
    out.print(files_summary(page))
    if failed is not None:
        raise failed


@app.command()
def report(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN", help="The folder of a finished study.")],
    compare: Annotated[
        list[Path] | None, typer.Option(metavar="RUN ...", help="Other studies to show beside it.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--out", help="Folder for the report; default RUN, or RUN/comparison.")
    ] = None,
) -> None:
    """Write the tables, figures and HTML page of a finished study again, or compare several.

    Needs the run folder alone: no model, no corpus.
    """
    from interlingua.errors import InputError
    from interlingua.report import write_comparison, write_report
    from interlingua.report.terminal import files_summary, study_summary
    from interlingua.study import open_run

    folder, *more = folders  # an option takes one value; those after it arrive here
    if more and not compare:
        raise InputError(f"one run at a time; to compare them: interlingua report {folder} --compare {more[0]}")
    run = open_run(folder)
    if compare:
        page = write_comparison([run, *map(open_run, [*compare, *more])], to or folder / "comparison")
    else:
        page = write_report(run, to)
        out.print(study_summary(run))
    out.print(files_summary(page))


@app.command()
def experts(
    folder: Annotated[Path, typer.Option("--out", help="Folder for the experts.")],
    model: ModelOption = DEFAULT_MODEL,
    corpus: Annotated[str, typer.Option(help="Registered corpus, or folder; its split dev is the probe.")] = "starter",
    language: Annotated[list[str] | None, typer.Option(help="Probe these languages only; may be repeated.")] = None,
    limit: Annotated[int | None, typer.Option(help="First N sentences of each language.")] = None,
    pooling: Annotated[
        list[str] | None,
        typer.Option(help="mean (default), max or last over a sentence's tokens; several make a folder each."),
    ] = None,
    hold: Annotated[str, typer.Option(help="Where responses are held: auto, device, memory, disk.")] = "auto",
    response_type: Annotated[
        str, typer.Option(help="What responses are kept in: float32, float16, bfloat16.")
    ] = "float32",
    k: Annotated[int, typer.Option("-k", min=1, help="How many experts the table tells about.")] = 2000,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    trust_remote_code: TrustOption = False,
) -> None:
    """Score every neuron as a classifier of each language, and keep the scores.

    A run that was stopped goes on where it was when it is started again.
    """
    from typing import cast

    from interlingua.corpora import load_corpus
    from interlingua.experts import find_experts_by_pooling, remove_recording
    from interlingua.experts.holding import Hold, ResponseType
    from interlingua.models.pooling import Pooling
    from interlingua.report.terminal import experts_summary

    probe = load_corpus(corpus, "dev", languages=language, limit=limit)
    loaded = _load_model(model, device, dtype, trust_remote_code)
    poolings = cast(list[Pooling], list(dict.fromkeys(pooling or ["mean"])))
    recording = folder.with_name(f"{folder.name}.recording")
    with shown_progress(out) as progress:
        found = find_experts_by_pooling(
            loaded,
            probe,
            poolings,
            hold=cast(Hold, hold),
            response_type=cast(ResponseType, response_type),
            folder=recording,
            progress=progress,
        )
    for name, own in found.items():
        place = folder if len(found) == 1 else folder / name
        own.save(place)
        out.print(experts_summary(own, min(k, len(own.neurons))))
        _say(f"\nExperts{'' if len(found) == 1 else f', {name}'}: {place}")
    remove_recording(recording)


@app.command()
def intervene(
    experts_folder: Annotated[Path, typer.Option("--experts", help="What `interlingua experts` wrote.")],
    folder: Annotated[Path, typer.Option("--out", help="Folder for the intervention.")],
    target: Annotated[str | None, typer.Option(help="The language.")] = None,
    k: Annotated[int | None, typer.Option("-k", help="Number of experts.")] = None,
    kind: Annotated[str, typer.Option(help="See `interlingua list interventions`.")] = "set-to-mean",
    option: Annotated[list[str] | None, typer.Option(help="NAME=VALUE for the kind; may be repeated.")] = None,
    strength: Annotated[float, typer.Option(help="0 changes nothing, 1 is the whole edit.")] = 1.0,
    layer: Annotated[list[int] | None, typer.Option(help="Edit these layers only; may be repeated.")] = None,
    module: Annotated[list[str] | None, typer.Option(help="Edit these kinds only, e.g. up_proj.")] = None,
    control: Annotated[str | None, typer.Option(help="Make the random control: uniform or matched.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the control.")] = 0,
) -> None:
    """Make an intervention from experts: an affine edit of neurons, as files."""
    from interlingua.errors import InputError
    from interlingua.experts import Experts
    from interlingua.interventions import make_intervention, random_control

    found = Experts.load(experts_folder)
    options = {**({"k": k} if k is not None else {}), **_parse_options(option or [])}
    edit = make_intervention(kind, found, target, options)
    if layer or module:
        edit = edit.only(found.neurons, layers=layer, modules=module)
    if control is not None:
        if control not in ("uniform", "matched"):
            raise InputError(f"unknown control '{control}'; use uniform, matched")
        edit = random_control(edit, found.neurons, seed, matched=control == "matched")
    edit = edit if strength == 1 else edit.with_strength(strength)
    edit.save(folder)
    layers = f"{len(edit.edits)} linear layer{'s' if len(edit.edits) != 1 else ''}"
    _say(f"{edit.kind}: edits {len(edit):,} neurons in {layers}\nIntervention: {folder}")


@app.command()
def generate(
    model: ModelOption = DEFAULT_MODEL,
    intervention: InterventionOption = None,
    n: Annotated[int, typer.Option("-n", help="How many texts.")] = 8,
    max_new_tokens: Annotated[int, typer.Option(help="How long a text may be.")] = 64,
    seed: Annotated[int, typer.Option(help="Of the random numbers.")] = 0,
    file: Annotated[Path | None, typer.Option("--out", help="A .jsonl file for the texts and their languages.")] = None,
    identifier: Annotated[str, typer.Option(help="langid (the paper's) or lingua.")] = "langid",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    trust_remote_code: TrustOption = False,
) -> None:
    """Sample texts from nothing but the model's start token; print them, or write them with their languages."""
    from interlingua.measures import generate_seeds, identify, write_texts
    from interlingua.measures.generation import require_jsonl
    from interlingua.report.terminal import languages_summary

    if file is not None:
        require_jsonl(file)
        identify([], identifier)
    edit = _load_intervention(intervention)
    loaded = _load_model(model, device, dtype, trust_remote_code)
    with _steered(loaded, edit), shown_progress(err) as progress:
        texts = generate_seeds(loaded, n, [seed], max_new_tokens=max_new_tokens, progress=progress)
    if file is None:
        for i, text in enumerate(texts.text):
            out.print(f"--- {i + 1}", style="dim")
            _say(text)
        return
    identified = identify(list(texts.text), identifier)
    write_texts(file, texts.join(identified.table()))
    out.print(languages_summary(identified))
    _say(f"\n{len(texts):,} texts: {file}")


@app.command()
def embed(
    sentences: Annotated[Path, typer.Argument(help="A text file, one sentence a line.")],
    file: Annotated[Path, typer.Option("--out", help="A .npy file: float32, sentences x dimensions.")],
    model: ModelOption = DEFAULT_MODEL,
    intervention: InterventionOption = None,
    layer: Annotated[int, typer.Option(help="Which hidden state; -1 is the last.")] = -1,
    pool: Annotated[str, typer.Option(help="mean, max or last over a sentence's tokens.")] = "mean",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    trust_remote_code: TrustOption = False,
) -> None:
    """Embed the sentences of a file."""
    from typing import cast

    import numpy as np

    from interlingua.corpora.folder import read_lines
    from interlingua.errors import InputError
    from interlingua.files import written_whole
    from interlingua.measures import embed as embed_sentences
    from interlingua.models.pooling import Pooling

    lines, edit = read_lines(sentences), _load_intervention(intervention)
    if not all(lines):
        raise InputError(f"line {lines.index('') + 1} of '{sentences}' is empty; remove it")
    loaded = _load_model(model, device, dtype, trust_remote_code)
    with _steered(loaded, edit), shown_progress(out) as progress:
        embedded = embed_sentences(loaded, lines, layer=layer, pool=cast(Pooling, pool), progress=progress)
    with written_whole(file.with_suffix(".npy")) as temporary:
        np.save(temporary, embedded)
    _say(f"{embedded.shape[0]:,} embeddings of {embedded.shape[1]:,} dimensions: {file.with_suffix('.npy')}")


@app.command()
def perplexity(
    text: Annotated[Path, typer.Argument(metavar="TEXT", help="A text file.")],
    model: ModelOption = DEFAULT_MODEL,
    intervention: InterventionOption = None,
    stride: Annotated[int, typer.Option(help="By how many tokens a window starts after the one before.")] = 512,
    max_length: Annotated[int | None, typer.Option(help="Tokens of a window; default the model's maximum.")] = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    trust_remote_code: TrustOption = False,
) -> None:
    """Measure the perplexity of a text under a sliding window."""
    import math

    from interlingua.errors import InputError
    from interlingua.measures import perplexity as measure

    try:
        content = text.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read '{text}': {error}") from None
    edit = _load_intervention(intervention)
    loaded = _load_model(model, device, dtype, trust_remote_code)
    with _steered(loaded, edit), shown_progress(err) as progress:
        result = measure(loaded, content, stride=stride, max_length=max_length, progress=progress)
    plain = math.exp(result.log_perplexity) if result.log_perplexity < 700 else math.inf
    _say(
        f"log perplexity {result.log_perplexity:.4f}, standard error {result.standard_error:.4f} "
        f"(perplexity {plain:,.2f})\n"
        f"{result.tokens:,} tokens scored, window {result.window:,}, stride {result.stride:,}"
    )


@app.command()
def bake(
    intervention: Annotated[Path, typer.Option(help="What `interlingua intervene` wrote.")],
    folder: Annotated[Path, typer.Option("--out", help="Folder for the checkpoint.")],
    model: ModelOption = DEFAULT_MODEL,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    trust_remote_code: TrustOption = False,
) -> None:
    """Write an intervention into a model's weights, as a checkpoint that transformers loads."""
    import json

    from interlingua.interventions import Intervention
    from interlingua.interventions import bake as bake_into

    edit = Intervention.load(intervention)
    loaded = _load_model(model, device, dtype, trust_remote_code)
    bake_into(loaded, edit).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    needs_code = " (load it with trust_remote_code=True: it has biases that its family lacks)"
    _say(f"Checkpoint: {folder}{needs_code if 'auto_map' in config else ''}")


@app.command()
def compare(
    folder: Annotated[Path | None, typer.Option("--out", help="Folder; default runs/compare-<model>-<corpus>.")] = None,
    model: ModelOption = DEFAULT_MODEL,
    corpus: Annotated[
        str, typer.Option(help="Registered corpus, or folder: its split dev is the probe, devtest judges.")
    ] = "starter",
    language: Annotated[list[str] | None, typer.Option(help="These languages only; may be repeated.")] = None,
    probe_language: Annotated[
        list[str] | None, typer.Option(help="Fit on these of the languages only; may be repeated.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="First N sentences of each language and split.")] = None,
    layer: Annotated[list[int] | None, typer.Option(help="These hidden states only, from 0; may be repeated.")] = None,
    method: Annotated[list[str] | None, typer.Option(help="These methods only; may be repeated.")] = None,
    scoring: Annotated[
        list[str] | None, typer.Option(help="cosine, csls, margin; default all. May be repeated.")
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Interventions to screen; default all kinds.")] = None,
    k: Annotated[list[int] | None, typer.Option("-k", help="Their numbers of experts; may be repeated.")] = None,
    strength: Annotated[list[float] | None, typer.Option(help="Their strengths; may be repeated.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Their targets; may be repeated.")] = None,
    interventions: Annotated[bool, typer.Option(help="Whether to screen interventions at all.")] = True,
    bitext: Annotated[list[str] | None, typer.Option(help="Tatoeba, BUCC or your own, to judge on as well.")] = None,
    seen: Annotated[list[str] | None, typer.Option(help="Languages of pre-training, if the model is unknown.")] = None,
    folds: Annotated[int, typer.Option(help="Of the cross-validation inside the probe.")] = 3,
    draws: Annotated[int, typer.Option(min=1, help="Random parts of the probe of each size.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of folds, draws and bootstrap.")] = 0,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    trust_remote_code: TrustOption = False,
) -> None:
    """Compare ways of aligning a frozen model: layers, maps, scores, interventions.

    All is fitted and chosen on the probe; the other split is read once, at the end. A comparison that was stopped goes
    on where it was.
    """
    from interlingua.alignment.edits import EditGrid
    from interlingua.comparison import Settings
    from interlingua.comparison import compare as compare_ways
    from interlingua.comparison.pairs import load_bitexts
    from interlingua.corpora import load_corpus
    from interlingua.languages import parse_languages
    from interlingua.report.comparison import answer, write_comparison
    from interlingua.report.figures import require_matplotlib
    from interlingua.report.terminal import comparison_summary

    require_matplotlib()
    grid = _given({"kinds": kind, "k": k, "strengths": strength, "targets": target})
    edits = EditGrid(**grid) if interventions else None
    tried = _given({"layers": layer, "methods": method, "scorings": scoring})
    settings = Settings(**tried, edits=edits, folds=folds, draws=draws, seed=seed)
    probe = load_corpus(corpus, "dev", languages=probe_language or language, limit=limit)
    evaluation = load_corpus(corpus, "devtest", languages=language, limit=limit)
    pairs = load_bitexts(bitext or [], evaluation.languages, limit)
    loaded = _load_model(model, device, dtype, trust_remote_code)
    place = folder or Path("runs") / f"compare-{Path(model).name}-{Path(corpus).name}"
    with shown_progress(out) as progress:
        found = compare_ways(
            loaded, probe, evaluation, place, settings=settings, bitexts=pairs,
            seen=parse_languages(seen) if seen else None, progress=progress,
        )  # fmt: skip
    page = write_comparison(found, place)
    out.print(comparison_summary(found))
    _say(f"\n{answer(found)}\n\nTables and figures: {page}")


@app.command()
def align(
    folder: Annotated[Path, typer.Option("--out", help="Folder for the aligner.")],
    model: ModelOption = DEFAULT_MODEL,
    corpus: Annotated[str, typer.Option(help="Registered corpus, or folder; its split dev is the probe.")] = "starter",
    language: Annotated[list[str] | None, typer.Option(help="Probe these languages only; may be repeated.")] = None,
    limit: Annotated[int | None, typer.Option(help="First N sentences of each language.")] = None,
    layer: Annotated[list[int] | None, typer.Option(help="Choose from these hidden states; may be repeated.")] = None,
    method: Annotated[list[str] | None, typer.Option(help="Choose from these methods; may be repeated.")] = None,
    together: Annotated[int, typer.Option(min=1, max=3, help="How many layers may be concatenated.")] = 3,
    interventions: Annotated[bool, typer.Option(help="Whether to try interventions before the map.")] = True,
    final_norm: Annotated[bool, typer.Option("--final-norm", help="Read the layer through the final norm.")] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write a folder for sentence-transformers as well; takes one layer.")
    ] = None,
    folds: Annotated[int, typer.Option(help="Of the cross-validation inside the probe.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of the folds.")] = 0,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    trust_remote_code: TrustOption = False,
) -> None:
    """Find how a frozen model is aligned best, and write an aligner: a map and the layer that it reads."""
    from interlingua.alignment import align as align_model
    from interlingua.alignment.edits import EditGrid
    from interlingua.corpora import load_corpus

    probe = load_corpus(corpus, "dev", languages=language, limit=limit)
    loaded = _load_model(model, device, dtype, trust_remote_code)
    with shown_progress(out) as progress:
        aligner = align_model(
            loaded, probe, layers=layer, methods=method, together=1 if export or final_norm else together,
            edits=None if interventions else EditGrid(kinds=()), language_free=export is not None,
            final_norm=final_norm, folds=folds, seed=seed, progress=progress,
        )  # fmt: skip
    aligner.save(folder)
    made = aligner.made_from
    _say(
        f"{made['recipe']}; intervention: {made['edit'] or 'none'}; scoring: {made['scoring']}\n"
        f"Held-out top-1 inside the probe: {made['held_out_top1']:.4f}\nAligner: {folder}"
    )
    if export is not None:
        aligner.save_sentence_transformer(export)
        _say(f"For sentence-transformers: {export}")


corpus_app = typer.Typer(no_args_is_help=True, help="Look at a corpus before using it.")
app.add_typer(corpus_app, name="corpus")


@corpus_app.command("show")
def corpus_show(
    name: Annotated[str, typer.Argument(help="Registered corpus, folder, or .csv, .tsv, .jsonl, .parquet, .tmx file.")],
    language: Annotated[list[str] | None, typer.Option(help="These languages only; may be repeated.")] = None,
    split: Annotated[str | None, typer.Option(help="This split only.")] = None,
    limit: Annotated[int | None, typer.Option(help="First N lines of each part.")] = None,
) -> None:
    """Open a corpus, check it, and print its languages, sizes, licence, a sample line and warnings."""
    from interlingua.corpora import CORPORA
    from interlingua.corpora.overview import facts, open_parts

    known = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for key, value in facts(CORPORA[name]) if name in CORPORA else []:
        known.add_row(key, Text(value))
    if name in CORPORA:
        out.print(known)
    for part in open_parts(name, split=split, languages=language or (), limit=limit):
        out.print(f"\n{part.title}: {part.size}", style="bold", markup=False, soft_wrap=True)
        for code, line in part.sample:
            _say(f"  {code}  {line if len(line) <= SAMPLE_LENGTH else line[:SAMPLE_LENGTH] + '...'}")
        _say(f"  sha256 {part.fingerprint}")
        for warning in part.warnings:
            _say(f"  warning: {warning}")


@app.command("list")
def list_(what: Annotated[str, typer.Argument(help="models, corpora, languages or interventions.")]) -> None:
    """List what is known by name."""
    rows = _listings(what)
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out.print(table)


def _listings(what: str) -> list[tuple[str, ...]]:
    from interlingua.errors import InputError

    if what == "models":
        from interlingua.models.packaged import PACKAGED_MODELS

        packaged = [(name, model.description, model.licence) for name, model in PACKAGED_MODELS.items()]
        return [
            *packaged,
            ("<id or folder>", "any causal LM of the Hugging Face Hub, or a checkpoint on disk", ""),
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
        from interlingua.languages import PAPER_LANGUAGES, PRETRAINING, language_name, short_code

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
    if what == "interventions":
        from interlingua.interventions import INTERVENTIONS, random_control
        from interlingua.interventions.registry import explain

        kinds = [(kind, "\n".join(explain(constructor))) for kind, constructor in INTERVENTIONS.items()]
        return [*kinds, ("any, with --control", "\n".join(explain(random_control)))]
    raise InputError(f"unknown list '{what}'; use models, corpora, languages, interventions")


def _parse_options(options: list[str]) -> dict[str, Any]:
    import yaml

    from interlingua.errors import InputError

    parsed = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise InputError(f"'{option}' is no option of a kind; write NAME=VALUE, for example alpha=0.5")
        try:
            parsed[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise InputError(f"'{option}': '{value}' is no number, word or list") from None
    return parsed


def _given(options: dict[str, list[Any] | None]) -> dict[str, Any]:
    """Return the options that were given, as tuples."""
    return {name: tuple(value) for name, value in options.items() if value}


def _load_model(name: str, device: str, dtype: str, trust_remote_code: bool) -> Any:
    from interlingua.models import load_model

    with shown_progress(err) as progress:
        return load_model(
            name, device=device, dtype=dtype, trust_remote_code=trust_remote_code, say=_say, progress=progress
        )


def _load_intervention(folder: Path | None) -> Any:
    from interlingua.interventions import Intervention

    return None if folder is None else Intervention.load(folder)


def _steered(model: Any, edit: Any) -> AbstractContextManager[None]:
    return nullcontext() if edit is None else edit.applied_to(model)


def _say(line: str) -> None:
    (err if line.startswith("warning: ") else out).print(line, markup=False, soft_wrap=True)
