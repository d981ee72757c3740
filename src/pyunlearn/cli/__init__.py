"""The `pyunlearn` command: arguments, progress and printing. All that it does, `Store` does."""

import sys
from collections.abc import Sequence

__all__ = ["main"]

INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; default those of the process.

    Returns
    -------
    int
        0 done; 1 refused (bad input, an unknown id, a failed verification); 2 wrong usage;
        130 interrupted.
    """
    try:
        # Here, so that an interrupt while modules are imported is one line as well.
        from pyunlearn.cli._program import run

        return run(argv)
    except KeyboardInterrupt:
        print("pyunlearn: interrupted; an unfinished request changed nothing", file=sys.stderr)
        return INTERRUPTED
