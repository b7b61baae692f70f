"""Open files: how many this process may hold."""

from __future__ import annotations

import resource

from lictor.runtime.log import get_logger

log = get_logger("runtime")


def raise_file_limit() -> int:
    """Raises the soft limit on open files (each connection is one) to the hard one; returns what is allowed now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError) as error:
            log.warning("the limit on open files stays at %d: %s", soft, error)
            return soft
    log.info("open files: at most %s", hard if hard != resource.RLIM_INFINITY else "as many as there is memory for")
    return hard
