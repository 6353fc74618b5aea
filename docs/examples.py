"""Let a docstring's section `Example:` be shown as code: griffe takes `Examples:` alone for a section of examples."""

from __future__ import annotations

import re
from typing import Any

import griffe


class ExampleSections(griffe.Extension):
    """Renames the sections while the API reference is built."""

    def on_object(self, *, obj: griffe.Object, **unused: Any) -> None:
        """Rename those of one object."""
        if obj.docstring:
            obj.docstring.value = re.sub(r"^( *)Example:$", r"\1Examples:", obj.docstring.value, flags=re.MULTILINE)
