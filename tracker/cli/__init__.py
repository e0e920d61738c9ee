"""The command line. One module per group of commands; each is imported only when it is called, so that `--help` stays fast."""

from tracker.cli.app import main

__all__ = ["main"]
