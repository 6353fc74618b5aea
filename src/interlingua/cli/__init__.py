"""The command line: parses, calls, prints. A command is a file, and imports what it calls when it is called."""

from interlingua.cli.commands import app, main

__all__ = ["app", "main"]
