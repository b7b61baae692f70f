"""`make run`: a dev agent with the example catalog, the little servers its checks look at, and a tour to try.

Ends, and ends the agent, on SIGINT (Ctrl-C) or SIGTERM.
"""

from __future__ import annotations

import argparse
import http.client
import signal
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
EXAMPLES = TOP / "examples"
LICTOR = str(Path(sys.executable).with_name("lictor"))
SERVED_PORTS = ("9081", "9082", "9083", "9432")  # those of examples/services


def has_leader(port: int) -> bool:
    """Whether the agent at `port` answers and has a leader."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/v1/status/leader")
        return len(connection.getresponse().read()) > len('""')
    except OSError:
        return False
    finally:
        connection.close()


def tour(http_port: int, dns_port: int) -> str:
    """The commands to try, for the ports that are used."""
    text = (EXAMPLES / "tour.sh").read_text()
    return text.replace("127.0.0.1:8500", f"127.0.0.1:{http_port}").replace("-p 8600", f"-p {dns_port}")


def run(http_port: int, dns_port: int) -> int:
    """Starts everything, tells what to try, and waits for an end; the agent's exit status."""
    web = subprocess.Popen([sys.executable, str(EXAMPLES / "web.py"), *SERVED_PORTS])
    options = ["-log-level=warn", f"-http-port={http_port}", f"-dns-port={dns_port}"]
    agent = subprocess.Popen([LICTOR, "agent", "-dev", "-config-dir", str(EXAMPLES / "services"), *options])
    # Ctrl-C reaches both of them too, and they end by themselves: only waiting for that is left here.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: agent.terminate())
    try:
        while not has_leader(http_port):
            if agent.poll() is not None or web.poll() is not None:
                agent.terminate()
                return agent.wait() or 1
            time.sleep(0.05)
        address = f"-http-addr=127.0.0.1:{http_port}"
        imported = [LICTOR, "kv", "import", address, f"@{EXAMPLES / 'kv.json'}"]
        subprocess.run(imported, check=True, stdout=subprocess.DEVNULL)
        print(f"\nlictor is ready. In another terminal, in {TOP}:\n", flush=True)
        print(tour(http_port, dns_port), "\nCtrl-C ends it.", sep="", flush=True)
        return agent.wait()
    finally:
        web.terminate()
        web.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="demo.py", description=__doc__)
    parser.add_argument("--http-port", type=int, default=8500)
    parser.add_argument("--dns-port", type=int, default=8600)
    options = parser.parse_args()
    sys.exit(run(options.http_port, options.dns_port))


if __name__ == "__main__":
    main()
