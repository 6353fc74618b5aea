"""The command `compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlingua.cli.console import out, say
from interlingua.cli.loading import Loading, loads_model
from interlingua.cli.options import DimensionsOption, FoldsOption, MaxBlocksOption, SeenOption, given


@loads_model
def compare(
    loading: Loading,
    folder: Annotated[Path | None, typer.Option("--out", help="Folder; default runs/compare-<model>-<corpus>.")] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            help="Registered corpus, or folder: dev is the probe, devtest of the first judges. Default starter; may be "
            "repeated."
        ),
    ] = None,
    language: Annotated[list[str] | None, typer.Option(help="These languages only; may be repeated.")] = None,
    probe_language: Annotated[
        list[str] | None, typer.Option(help="Fit on these languages only; may be repeated.")
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
    interventions: Annotated[
        bool, typer.Option(help="Screen interventions too; implied by --kind, -k, --strength, --target.")
    ] = False,
    max_blocks: MaxBlocksOption = 3,
    dimensions: DimensionsOption = None,
    special_tokens: Annotated[
        bool, typer.Option("--special-tokens", help="Count tokens that the tokenizer adds, in all that is fitted.")
    ] = False,
    bitext: Annotated[list[str] | None, typer.Option(help="Tatoeba, BUCC or your corpus, to judge on as well.")] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            help="Judge a trained encoder too: e5, or a SentenceTransformer's name or folder. May be repeated."
        ),
    ] = None,
    encoder_prompt: Annotated[str | None, typer.Option(help="What SentenceTransformers put before a sentence.")] = None,
    seen: SeenOption = None,
    folds: FoldsOption = 3,
    draws: Annotated[int, typer.Option(min=1, help="Random parts of the probe of each size.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of folds, draws and bootstrap.")] = 0,
) -> None:
    """Compare ways of aligning a frozen model: layers, maps, scores, interventions.

    All is fitted and chosen on the probe; the other split is read once, at the end. A comparison that was stopped goes
    on where it was.
    """
    from interlingua.alignment import Settings, load_encoder
    from interlingua.alignment import compare as compare_ways
    from interlingua.alignment.edits import EditGrid
    from interlingua.corpora import load_bitexts, open_corpus
    from interlingua.corpora.parallel import joined
    from interlingua.languages import parse_languages
    from interlingua.report.comparison import answer, write_comparison
    from interlingua.report.figures import require_matplotlib
    from interlingua.report.terminal import comparison_summary

    require_matplotlib()
    grid = given({"kinds": kind, "k": k, "strengths": strength, "targets": target})
    edits = EditGrid(**grid) if interventions or grid else None
    tried = given({"layers": layer, "methods": method, "scorings": scoring})
    settings = Settings(
        **tried, max_blocks=max_blocks, dimensions=dimensions, edits=edits, special_tokens=special_tokens, folds=folds,
        draws=draws, seed=seed,
    )  # fmt: skip
    corpora = corpus or ["starter"]
    probe = joined(
        [open_corpus(name).parallel("dev", languages=probe_language or language, limit=limit) for name in corpora]
    )
    evaluation = open_corpus(corpora[0]).parallel("devtest", languages=language, limit=limit)
    encoders = [load_encoder(name, encoder_prompt) for name in encoder or []]
    pairs = load_bitexts(bitext or [], evaluation.languages, limit)
    loaded = loading.load()
    place = folder or Path("runs") / f"compare-{Path(loading.model).name}-{Path(corpora[0]).name}"
    found = compare_ways(
        loaded, probe, evaluation, place, settings=settings, bitexts=pairs,
        seen=parse_languages(seen) if seen else None, encoders=encoders,
    )  # fmt: skip
    page = write_comparison(found, place)
    out.print(comparison_summary(found))
    say(f"\n{answer(found)}\n\nTables and figures: {page}")
