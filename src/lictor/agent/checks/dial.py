"""Connecting to `host:port`, with failures in the words that the reference's checks show."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl

from lictor.types.validate import ip_version


class DialError(Exception):
    """No connection; `str(error)` says why, beginning `dial tcp`."""


def split_target(target: str, network: str = "tcp") -> tuple[str, int]:
    """`host:port` or `[v6]:port` in two. Raises DialError."""
    host, colon, port = target.rpartition(":")
    if not colon or host.endswith("]") != host.startswith("["):
        raise DialError(f"dial {network}: address {target}: missing port in address")
    if not (port.isascii() and port.isdigit() and int(port) <= 65_535):
        raise DialError(f"dial {network}: lookup {network}/{port}: unknown port")
    if ":" in host and not host.startswith("["):
        raise DialError(f"dial {network}: address {target}: too many colons in address")
    return host.strip("[]"), int(port)


def join_target(host: str, port: int) -> str:
    """The reverse of `split_target`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reason(error: OSError) -> str:
    """The system's word for an error, as Go writes it: `connection refused`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"tls: {(error.reason or str(error)).lower().replace('_', ' ')}"
    return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error).lower()


async def resolve(host: str, port: int, network: str = "tcp") -> list[tuple[int, tuple[str, int]]]:
    """The addresses behind a name: (family, socket address). Raises DialError."""
    kind = socket.SOCK_STREAM if network == "tcp" else socket.SOCK_DGRAM
    if version := ip_version(host):  # no thread for what needs no resolver
        return [(socket.AF_INET if version == 4 else socket.AF_INET6, (host, port))]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host or "localhost", port, type=kind)
    except (OSError, UnicodeError):
        raise DialError(f"dial {network}: lookup {host}: no such host") from None
    return [(int(family), (str(address[0]), port)) for family, _, _, _, address in found]


async def dial(
    target: str,
    tls: ssl.SSLContext | None = None,
    server_name: str = "",
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to `host:port`, through TLS if there is a context. Raises DialError; bounds no time."""
    host, port = split_target(target)
    first: DialError | None = None
    for family, address in await resolve(host, port):
        try:
            return await asyncio.open_connection(
                address[0],
                port,
                family=family,
                ssl=tls,
                server_hostname=(server_name or host) if tls else None,
            )
        except OSError as error:
            place = join_target(address[0], port)
            words = reason(error) if isinstance(error, ssl.SSLError) else f"dial tcp {place}: connect: {reason(error)}"
            first = first or DialError(words)
    raise first or DialError(f"dial tcp: lookup {host}: no such host")


def hang_up(writer: asyncio.StreamWriter) -> None:
    """Closes a connection without waiting for the other side."""
    writer.transport.abort()
