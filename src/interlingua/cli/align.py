"""The command `align`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from interlingua.cli.console import say
from interlingua.cli.loading import Loading, loads_model
from interlingua.cli.options import DimensionsOption, FoldsOption, MaxBlocksOption

logger = logging.getLogger(__name__)


@loads_model
def align(
    loading: Loading,
    folder: Annotated[Path, typer.Option("--out", help="Folder for the aligner.")],
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            help="Registered corpus, or folder; its split dev is the probe. May be repeated. Default starter."
        ),
    ] = None,
    language: Annotated[list[str] | None, typer.Option(help="Probe these languages only; may be repeated.")] = None,
    limit: Annotated[int | None, typer.Option(help="First N sentences of each language.")] = None,
    layer: Annotated[list[int] | None, typer.Option(help="Choose from these hidden states; may be repeated.")] = None,
    method: Annotated[list[str] | None, typer.Option(help="Choose from these methods; may be repeated.")] = None,
    max_blocks: MaxBlocksOption = 3,
    dimensions: DimensionsOption = None,
    interventions: Annotated[bool, typer.Option(help="Whether to try interventions before the map.")] = False,
    final_norm: Annotated[bool, typer.Option("--final-norm", help="Read the layer through the final norm.")] = False,
    special_tokens: Annotated[
        bool, typer.Option("--special-tokens", help="Count tokens that the tokenizer adds in a sentence's mean.")
    ] = False,
    adapt: Annotated[
        Path | None,
        typer.Option(help="Adapt to text without labels: a folder of <code>.txt, which need not be parallel."),
    ] = None,
    self_training: Annotated[bool, typer.Option(help="Whether to refit the map on pairs found in that text.")] = True,
    export: Annotated[Path | None, typer.Option(help="Write a folder for sentence-transformers as well.")] = None,
    onnx: Annotated[
        Path | None, typer.Option(help="Write a folder with one ONNX graph as well (extra `onnx`).")
    ] = None,
    folds: FoldsOption = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of the folds.")] = 0,
) -> None:
    """Find the best way to align a frozen model, and write an aligner: a map and the layer that it reads."""
    from interlingua.alignment import align as align_model
    from interlingua.alignment.edits import EditGrid
    from interlingua.alignment.onnx_graph import require_onnx
    from interlingua.alignment.sentence_transformer import require_sentence_transformers
    from interlingua.corpora import open_corpus
    from interlingua.corpora.folder import read_unaligned
    from interlingua.corpora.parallel import joined
    from interlingua.files import require_folder
    from interlingua.models.checkpoint import takes_biases

    require_folder(folder)
    exported = [path for path in (export, onnx) if path is not None]
    for path in exported:
        require_folder(path)
        require_sentence_transformers()
    if onnx is not None:
        require_onnx()
    probe = joined(
        [open_corpus(name).parallel("dev", languages=language, limit=limit) for name in corpus or ["starter"]]
    )
    text = read_unaligned(adapt) if adapt is not None else None
    loaded = loading.load()
    if exported and interventions and not takes_biases(loaded.hf, loaded.neurons.modules):
        logger.info("No interventions: they need biases that the model lacks, and an export would need remote code")
        interventions = False
    aligner = align_model(
        loaded, probe, layers=layer, methods=method, max_blocks=max_blocks, dimensions=dimensions,
        edits=EditGrid() if interventions else None, final_norm=final_norm, special_tokens=special_tokens,
        folds=folds, seed=seed,
    )  # fmt: skip
    if text is not None:
        aligner = aligner.adapt(text, self_training=self_training)
    aligner.save_pretrained(folder)
    made = aligner.made_from
    say(
        f"{made['recipe']}; intervention: {made['edit'] or 'none'}; scoring: {made['scoring']}\n"
        f"Held-out top-1 inside the probe: {made['held_out_top1']:.4f}\nAligner: {folder}"
    )
    if text is not None:
        looked_at = made["adapted_to"]
        say(
            f"Adapted to {sum(looked_at['sentences'].values()):,} sentences of {adapt}, without labels; pairs found in "
            f"it: {looked_at['mined_pairs']:,}. What is judged on this text is judged on text that was looked at."
        )
    if export is not None:
        aligner.save_sentence_transformer(export)
        say(f"For sentence-transformers: {export}")
    if onnx is not None:
        aligner.save_onnx(onnx)
        say(f"For onnxruntime: {onnx}")
