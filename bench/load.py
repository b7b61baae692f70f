"""wrk and dnsperf: run against one address for some seconds, their reports read into a rate.

Fails (RuntimeError) where answers were errors: a server that refuses quickly is not fast.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

SCRIPTS = Path(__file__).parent / "wrk"


class Rate(NamedTuple):
    """Requests answered per second, and the seconds within which 99 of 100 were (0 where the tool does not say)."""

    per_second: float
    p99: float = 0.0


def wrk(url: str, *, connections: int, seconds: float, script: str | None = None) -> Rate:
    """One thread of wrk, so that load and server have a core each; `script` is a file of `bench/wrk/`."""
    script_arguments = ["-s", str(SCRIPTS / script)] if script else []
    report = _run(["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", *script_arguments, url])
    if failed := re.search(r"(Non-2xx or 3xx responses: .*|Socket errors: .*)", report):
        raise RuntimeError(f"{url}: {failed[1]}")
    return Rate(_number(r"Requests/sec:\s+([\d.]+)", report), _duration(report))


def dnsperf(port: int, questions: Sequence[str], *, seconds: int, outstanding: int = 100) -> Rate:
    """`questions` ("NAME TYPE") asked in turn over UDP, with up to `outstanding` of them unanswered at once."""
    address = ["-s", "127.0.0.1", "-p", str(port)]
    with tempfile.NamedTemporaryFile("w", prefix="lictor-bench-") as file:  # dnsperf reads it again and again
        file.write("".join(f"{question}\n" for question in questions))
        file.flush()
        report = _run(["dnsperf", *address, "-d", file.name, "-c4", "-T1", f"-q{outstanding}", f"-l{seconds}"])
    completed, sent = _number(r"Queries completed:\s+(\d+)", report), _number(r"Queries sent:\s+(\d+)", report)
    codes = re.search(r"Response codes:\s+(.*)", report)
    if completed < 0.99 * sent or codes is None or not re.fullmatch(r"NOERROR \d+ \(100\.00%\)", codes[1].strip()):
        raise RuntimeError(f"dnsperf: {completed:g} of {sent:g} answered, {codes[1] if codes else 'no response codes'}")
    return Rate(_number(r"Queries per second:\s+([\d.]+)", report))


def _run(argv: Sequence[str]) -> str:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"{argv[0]} exited with {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


def _number(pattern: str, report: str) -> float:
    found = re.search(pattern, report)
    if found is None:
        raise RuntimeError(f"no {pattern!r} in: {report}")
    return float(found[1])


def _duration(report: str) -> float:
    found = re.search(r"99%\s+([\d.]+)(us|ms|s)", report)
    return float(found[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[found[2]] if found else 0.0
