"""Catalogs to measure on: instances as real ones look, registered over one kept connection."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any


def instance(service: str, number: int, port: int = 8080) -> dict[str, Any]:
    """A registration of one passing instance of `service` on a node of its own, with tags, metadata and two checks."""
    node, address = f"node-{number}", f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    instance_id = f"{service}-{number}"
    return {
        "Node": node,
        "Address": address,
        "NodeMeta": {"zone": f"zone-{number % 3}"},
        "Service": {
            "ID": instance_id,
            "Service": service,
            "Tags": ["v1", "primary" if number % 10 == 0 else "secondary"],
            "Meta": {"version": "1.4.2", "team": "web"},
            "Port": port,
        },
        "Checks": [
            {"Node": node, "CheckID": "serfHealth", "Name": "Serf Health Status", "Status": "passing"},
            {
                "Node": node,
                "CheckID": f"service:{instance_id}",
                "Name": f"Service '{service}' check",
                "Status": "passing",
                "ServiceID": instance_id,
                "Output": "HTTP GET http://127.0.0.1:8080/health: 200 OK Output: ok",
            },
        ],
    }


def instances(service: str, count: int) -> Iterator[dict[str, Any]]:
    """`count` instances of one service."""
    return (instance(service, number) for number in range(count))


def many(count: int) -> Iterator[dict[str, Any]]:
    """`count` instances in all, ten of each service, each on its own node."""
    return (instance(f"service-{number // 10}", number) for number in range(count))


def register(port: int, registrations: Iterator[dict[str, Any]]) -> None:
    """Registers them at the agent on 127.0.0.1:`port`; RuntimeError on the first that is refused."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        for registration in registrations:
            connection.request("PUT", "/v1/catalog/register", json.dumps(registration))
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"register: {answer.status} {body!r}")
    finally:
        connection.close()


def put_request(registration: dict[str, Any]) -> bytes:
    """The registration as one raw HTTP request."""
    body = json.dumps(registration).encode()
    return b"PUT /v1/catalog/register HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
