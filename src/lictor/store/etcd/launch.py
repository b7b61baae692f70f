"""Becomes another program that is killed when the process that started it ends, by whatever signal.

    python launch.py PARENT PROGRAM [ARGUMENT ...]

PARENT is the process id of the starter. This is run as a program of its own, since between fork and exec only little
may be done in a process with threads; it must import nothing of lictor.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: str, program: str, *arguments: str) -> None:
    """Does not return. Raises OSError when the program cannot be run."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != int(parent):  # it had ended before that was asked for
        sys.exit(1)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])
