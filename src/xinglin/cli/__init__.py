"""The command line: thin; every command opens the region, calls one flow and prints what it did."""

from __future__ import annotations

import sys

__all__ = ["main", "run"]


def main() -> None:
    """Run one command and leave with its exit code: 0 done, 1 the work found something wrong, 2 bad usage."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code.

    Example:
        >>> run(["--version"])  # doctest: +ELLIPSIS
        xinglin ...
        0
    """
    from xinglin.cli.commands import application
    from xinglin.cli.opening import command_line
    from xinglin.cli.show import complain
    from xinglin.core.errors import XinglinError

    try:
        command_line(application(*arguments[:1]))(arguments, prog_name="xinglin")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    except XinglinError as error:
        complain(str(error))
        return error.exit_code
    return 0
