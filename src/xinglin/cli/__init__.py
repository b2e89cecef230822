"""The command line. Each command opens the region, calls one flow and prints its report."""

from __future__ import annotations

import sys

__all__ = ["main", "run"]


def main() -> None:
    """Run one command and exit with its code: 0 success, 1 an error or a failed check, 2 wrong usage."""
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
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 0
    except XinglinError as error:
        complain(str(error))
        return error.exit_code
    return 0
