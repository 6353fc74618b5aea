"""Everything that can go wrong, in one small hierarchy.

Every message names the thing that is wrong and the way out. The command line prints the message alone and
exits with `exit_code`: 2 where the input was wrong, 1 where the work failed.
"""

from __future__ import annotations


class InterlinguaError(Exception):
    """Base of every error that interlingua raises on purpose.

    Example:
        One `except` catches all of them, and wrong input is a `ValueError` too:

        >>> import interlingua as il
        >>> try:
        ...     il.open_corpus("no such corpus")
        ... except il.InterlinguaError as error:
        ...     print(type(error).__name__, error.exit_code)
        CorpusError 2
    """

    exit_code = 1


class InputError(InterlinguaError, ValueError):
    """An argument, option or configuration value that cannot be used."""

    exit_code = 2


class LanguageError(InputError):
    """A language that is unknown, or absent where it is needed."""


class CorpusError(InputError):
    """A corpus that is missing, unreadable, empty or not aligned."""


class ModelError(InputError):
    """A model that cannot be loaded, or whose neurons cannot be found."""


class ArtifactError(InputError):
    """A saved artefact that is damaged, or that belongs to another model."""


class MissingExtraError(InputError):
    """An optional part of interlingua that is not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(
            f"{purpose} needs the extra '{extra}', which is not installed: pip install 'interlingua[{extra}]'"
        )


class ActivationError(InterlinguaError):
    """Activations that are NaN or infinite, so that nothing can be computed from them."""


class OutOfMemoryError(InterlinguaError):
    """Even the smallest batch does not fit in memory."""


class StorageError(InterlinguaError):
    """Results that cannot be kept: the disk is full, or someone else is writing there."""


class SteeringError(InterlinguaError):
    """An intervention that did not take effect: an edited layer never ran through its hook."""
