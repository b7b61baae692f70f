"""Joining: a newcomer asks any agent where the servers are.

Addresses are hosts or "host:port" (the join port where none is given); a name with several addresses is tried at each.
The answer also says the datacenter: agents of another one are refused.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable

import aiohttp
import msgspec

from lictor.agent.remote.information import JoinInformation
from lictor.agent.remote.servers import CONNECT_SECONDS, Servers
from lictor.agent.tls import Outgoing
from lictor.errors import LictorError, Refused, Unavailable
from lictor.runtime.handshake import explained
from lictor.runtime.log import get_logger

log = get_logger("agent.join")


class Joiner:
    """Asks agents for the servers and hands them to `Servers`."""

    def __init__(
        self,
        servers: Servers,
        datacenter: str,
        default_port: int,
        tls: Callable[[], Outgoing | None] = lambda: None,
    ) -> None:
        self._servers, self._datacenter, self._port, self._tls = servers, datacenter, default_port, tls

    async def join(self, addresses: Iterable[str]) -> int:
        """Tries every address; returns how many answered. Raises Refused with every reason when none did."""
        reasons, joined = [], 0
        for address in addresses:
            try:
                for host, port in await self._resolve(address):
                    information = await self._ask(host, port)
                    if not information.servers and not self._servers.known:
                        raise Refused(f"{information.node} knows no server itself yet")
                    self._servers.learn(information.servers or ())
                    joined += 1
            except (LictorError, OSError, aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
                reasons.append(f"Failed to join {address}: {explained(error)}")
        if not joined:
            noun = "error" if len(reasons) == 1 else "errors"
            raise Refused(f"{len(reasons)} {noun} occurred:\n" + "".join(f"\t* {r}\n" for r in reasons) + "\n")
        return joined

    async def ask_all(self, addresses: Iterable[str]) -> list[JoinInformation]:
        """What the agents at all these addresses tell; those that do not answer are left out."""
        found = await asyncio.gather(*(self._all_of(address) for address in dict.fromkeys(addresses)))
        return [information for rows in found for information in rows]

    async def _all_of(self, address: str) -> list[JoinInformation]:
        try:
            places = await self._resolve(address)
            return [await self._ask(host, port) for host, port in places]
        except (LictorError, OSError, aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            log.debug("%s does not answer: %s", address, explained(error))
            return []

    async def retry(self, addresses: Iterable[str], interval: float, most: int) -> None:
        """Tries until an address answers. After `most` attempts (0: no bound) raises Unavailable."""
        attempt = 0
        wanted = list(addresses)
        while True:
            attempt += 1
            try:
                await self.join(wanted)
                return
            except Refused as error:
                if most and attempt >= most:
                    raise Unavailable(f"no agent could be joined in {attempt} attempts: {error}") from None
                log.warning("joining failed, trying again in %g s: %s", interval, str(error).strip())
            await asyncio.sleep(interval)

    async def _resolve(self, address: str) -> list[tuple[str, int]]:
        host, port = split_address(address, self._port)
        rows = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys((str(row[4][0]), int(row[4][1])) for row in rows))

    async def _ask(self, host: str, port: int) -> JoinInformation:
        tls = self._tls()
        scheme = "https" if tls else "http"
        shown = f"[{host}]" if ":" in host else host
        timeout = aiohttp.ClientTimeout(total=5.0, sock_connect=CONNECT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            url = f"{scheme}://{shown}:{port}/v1/internal/join"
            try:
                async with session.get(url, ssl=tls.context if tls else False) as response:
                    body = await response.read()
            except (aiohttp.ServerDisconnectedError, ConnectionResetError):
                raise Refused(f"{shown}:{port} closed the connection{_hint(tls)}") from None
        if response.status != 200:
            raise Refused(f"{shown}:{port} answered {response.status}: is that an agent's join port?")
        information = msgspec.json.decode(body, type=JoinInformation)
        if information.datacenter != self._datacenter:
            raise Refused(
                f"{shown}:{port} is in datacenter {information.datacenter!r}, this agent in {self._datacenter!r}"
            )
        return information


def _hint(tls: Outgoing | None) -> str:
    """Why an agent may have hung up on us without a word."""
    if tls is None:
        return ": does it speak TLS only? This agent speaks none (verify_outgoing, ca_file, cert_file, key_file)"
    if not tls.certified:
        return ": does it demand a certificate? This agent has none (cert_file, key_file)"
    return ": it may not accept this agent's certificate (cert_file); its log says why"


def split_address(address: str, default_port: int) -> tuple[str, int]:
    """A host and a port from "host", "host:port", "[v6]:port" or a bare IPv6 address. Raises Refused otherwise."""
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        port = rest.removeprefix(":")
    elif address.count(":") == 1:
        host, port = address.split(":")
    else:
        host, port = address, ""
    if not host or (port and not (port.isdigit() and 0 < int(port) < 65536)):
        raise Refused(f"{address!r} is no address: host, host:port or [IPv6]:port is")
    return host, int(port) if port else default_port
