"""`lictor rtt`: the round trip time between two nodes, from their network coordinates."""

from __future__ import annotations

from math import dist
from typing import Any

from lictor.cli.command import Failure, HttpCommand, UsageError
from lictor.cli.flags import switch


class Rtt(HttpCommand):
    """Estimates the round trip time between two nodes; the second is the agent's own when it is left out.

        $ lictor rtt worker-01 worker-02

    Between servers of any datacenters, with the datacenter after a dot:

        $ lictor rtt -wan server-1.dc1 server-2.dc2
    """

    words = "rtt"
    synopsis = "Estimate the round trip time between nodes"
    arguments = "NODE1 [NODE2]"
    wan = switch("Between servers of all datacenters.")

    def run(self, arguments: list[str]) -> int:
        if len(arguments) not in (1, 2):
            raise UsageError("One or two node names must be specified")
        names = list(arguments)
        if len(names) == 1:
            names.append(self._own_name())
        first, second = self._wan_coordinates(names) if self.wan else self._lan_coordinates(names)
        kind = "WAN" if self.wan else "LAN"
        milliseconds = round_trip(first, second) * 1000
        self.console.line(f"Estimated {names[0]} <-> {names[1]} rtt: {milliseconds:.3f} ms (using {kind} coordinates)")
        return 0

    def _own_name(self) -> str:
        config = self.client.agent.self()["Config"]
        return f"{config['NodeName']}.{config['Datacenter']}" if self.wan else str(config["NodeName"])

    def _lan_coordinates(self, names: list[str]) -> list[dict[str, Any]]:
        found = self.client.coordinate.nodes().value
        segments = {entry.get("Segment", ""): None for entry in found if entry["Node"] == names[0]}
        for segment in segments:
            known = {entry["Node"]: entry["Coord"] for entry in found if entry.get("Segment", "") == segment}
            if names[1] in known:
                return [known[name] for name in names]
        missing = names[0] if not segments else names[1]
        raise Failure(f'Could not find a coordinate for node "{missing}"')

    def _wan_coordinates(self, names: list[str]) -> list[dict[str, Any]]:
        for name in names:
            if "." not in name:
                raise Failure(f'Node name "{name}" needs its datacenter: "{name}.dc1"')
        areas = self.client.coordinate.datacenters()
        by_area: dict[str, dict[str, dict[str, Any]]] = {}
        for area in areas:
            known = by_area.setdefault(area.get("AreaID", ""), {})
            for entry in area.get("Coordinates") or ():
                known[f"{entry['Node']}.{area['Datacenter']}"] = entry["Coord"]
        for known in by_area.values():
            if all(name in known for name in names):
                return [known[name] for name in names]
        missing = next((name for name in names if not any(name in known for known in by_area.values())), names[1])
        raise Failure(f'Could not find a coordinate for node "{missing}"')


def round_trip(first: dict[str, Any], second: dict[str, Any]) -> float:
    """Seconds between two coordinates: the distance of their points plus both heights, then adjusted.

    Source: the documented use of network coordinates. Raises Failure when they are of different dimensions.
    """
    if len(first["Vec"]) != len(second["Vec"]):
        raise Failure("The two coordinates are of different dimensions")
    seconds = dist(first["Vec"], second["Vec"]) + float(first["Height"]) + float(second["Height"])
    adjusted = seconds + float(first["Adjustment"]) + float(second["Adjustment"])
    return adjusted if adjusted > 0 else seconds


COMMANDS = (Rtt,)
