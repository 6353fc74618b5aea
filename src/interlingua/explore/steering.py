"""What the model writes as it is, steered, and with the same edits on random neurons, side by side as it grows."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from interlingua.analysis.schema import ORIGINAL, RANDOM, STEERED
from interlingua.corpora import open_corpus
from interlingua.errors import CorpusError, InputError, LanguageError
from interlingua.explore.edit import Choice, control_of, edit_of
from interlingua.languages import language_name
from interlingua.measures import generate, identify, perplexity

if TYPE_CHECKING:
    from interlingua.explore.session import Session
    from interlingua.interventions import Intervention
    from interlingua.measures.perplexity import PerplexityResult

CONDITIONS = (ORIGINAL, STEERED, RANDOM)
LONGEST_PROMPT = 4_000
MOST_TOKENS = 512
PERPLEXITY_CHARACTERS = 1_000
WINDOW, STRIDE = 512, 128


@dataclass(frozen=True)
class Text:
    """What one condition has written so far.

    Attributes:
        text: The continuation, without the prompt.
        language: The name of its language, once it is whole; empty until then, and `no language` where none is found.
        posterior: The probability of that language.
        log_perplexity: Of text in the target language, in nats a token; None until it is measured, or where there is
            no such text.
    """

    text: str = ""
    language: str = ""
    posterior: float = 0.0
    log_perplexity: float | None = None


Texts = dict[str, Text]
"""By condition."""


def stream(
    session: Session, choice: Choice, prompt: str = "", *, seed: int = 0, max_new_tokens: int = 48
) -> Generator[Texts]:
    """Write a text in each condition, and yield all of them whenever one has grown.

    The text of the original model is remembered, so that with another edit the steered one comes at once.

    Args:
        session: The model.
        choice: The edit.
        prompt: What is continued; nothing but the start token where it is empty.
        seed: Of the sampling and of the random neurons.
        max_new_tokens: How long a text may be.

    Raises:
        InterlinguaError: The choice, the prompt or a number is not possible; nothing was written then.
    """
    if len(prompt) > LONGEST_PROMPT:
        raise InputError(f"the prompt has {len(prompt):,} characters; {LONGEST_PROMPT:,} are the most")
    if not 1 <= max_new_tokens <= MOST_TOKENS:
        raise InputError(f"a text has 1 to {MOST_TOKENS} tokens here, not {max_new_tokens}")
    prompt = prompt if prompt.strip() else ""
    edits = {ORIGINAL: None, STEERED: edit_of(session, choice), RANDOM: control_of(session, choice, seed)}
    texts: Texts = {name: Text() for name in CONDITIONS}
    yield dict(texts)
    for name, edit in edits.items():
        with closing(_growing(session, edit, prompt, seed, max_new_tokens)) as growing:
            for text in growing:
                texts[name] = Text(text)
                yield dict(texts)
        found = identify([texts[name].text]).table().iloc[0]
        known = found.posterior > 0
        texts[name] = replace(
            texts[name],
            language=language_name(found.language) if known else "no language",
            posterior=float(found.posterior),
        )
        yield dict(texts)
    for name, edit in edits.items():
        measured = target_perplexity(session, choice.target, edit)
        if measured is None:
            return
        texts[name] = replace(texts[name], log_perplexity=measured.log_perplexity)
        yield dict(texts)


def target_perplexity(session: Session, target: str, edit: Intervention | None) -> PerplexityResult | None:
    """Measure the log perplexity of a little text in the target language; None where the corpus has none."""

    def measure() -> PerplexityResult | None:
        try:
            text = open_corpus(session.corpus).text(target, characters=PERPLEXITY_CHARACTERS).text
        except (CorpusError, LanguageError):
            return None
        with session.running(edit) as model:
            return perplexity(model, text[:PERPLEXITY_CHARACTERS], max_length=WINDOW, stride=STRIDE)

    return session.memory.get_or_make(("perplexity", target, _hash(edit)), measure)


def _hash(edit: Intervention | None) -> str:
    return "" if edit is None else edit.content_hash()


def _growing(session: Session, edit: Intervention | None, prompt: str, seed: int, tokens: int) -> Generator[str]:
    """Yield the text of one condition as it grows."""
    key = ("text", prompt, seed, tokens, _hash(edit))
    if (whole := session.memory.get(key)) is not None:
        yield whole
        return
    written: queue.SimpleQueue[Any] = queue.SimpleQueue()
    left = threading.Event()
    writer = threading.Thread(target=_write, args=(session, edit, prompt, seed, tokens, written, left), daemon=True)
    writer.start()
    text = ""
    try:
        while (piece := written.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            text += piece
            yield text
    finally:
        left.set()  # the visitor may be gone in the middle of a text
    session.memory.put(key, text)
    if not text:
        yield text


def _write(
    session: Session,
    edit: Intervention | None,
    prompt: str,
    seed: int,
    tokens: int,
    written: queue.SimpleQueue[Any],
    left: threading.Event,
) -> None:
    """Write a text piece by piece into a queue, in a separate thread; then None, or what went wrong."""
    from transformers import TextStreamer

    class Pieces(TextStreamer):
        def put(self, value: Any) -> None:
            if left.is_set():
                raise _LeftError
            super().put(value)

        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            written.put(text)

    try:
        with session.running(edit) as model:
            tokenizer: Any = model.tokenizer
            pieces = Pieces(tokenizer, skip_prompt=True, skip_special_tokens=True)
            generate(
                model, 1, prompts=[prompt] if prompt else None, seed=seed, max_new_tokens=tokens, streamer=pieces,
            )  # fmt: skip
        written.put(None)
    except BaseException as error:  # shown where the text would be
        written.put(error)


class _LeftError(Exception):
    """Nobody reads the text any longer."""
