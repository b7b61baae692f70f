"""What the runs of all checks share: TLS contexts and one HTTP session, made when a check first needs them."""

from __future__ import annotations

import asyncio
import importlib
import ssl
from typing import TYPE_CHECKING

import msgspec

from lictor import limits

if TYPE_CHECKING:
    import aiohttp

USER_AGENT = "Consul Health Check"
"""What checks call themselves; services and their logs know it by this name."""


class CheckTLS(msgspec.Struct, frozen=True, kw_only=True):
    """The agent's own TLS files for checks (`enable_agent_tls_for_checks`). All empty: the system's authorities."""

    ca_file: str = ""
    ca_path: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""


class CheckKit:
    """Shared by every run of a check. `output_max_size` is in bytes."""

    def __init__(self, output_max_size: int = limits.CHECK_OUTPUT_BYTES, tls: CheckTLS | None = None) -> None:
        self.output_max_size = output_max_size
        self.tls = tls or CheckTLS()
        self._contexts: dict[tuple[bool, tuple[str, ...]], ssl.SSLContext] = {}
        self._session: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()

    def output_bytes(self, asked: int) -> int:
        """How much of its output a check keeps: what its definition asks for, at most what the agent allows."""
        allowed = self.output_max_size or limits.CHECK_OUTPUT_BYTES
        return min(asked, allowed) if asked > 0 else allowed

    def server_name(self, asked: str) -> str:
        """The name that a server's certificate must bear (and SNI names); empty: that of the host connected to."""
        return asked or self.tls.server_name

    def ssl_context(self, skip_verify: bool, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
        """A context for connections to what is checked; the same for all checks that ask for the same."""
        context = self._contexts.get((skip_verify, alpn))
        if context is None:
            context = ssl.create_default_context(cafile=self.tls.ca_file or None, capath=self.tls.ca_path or None)
            if self.tls.cert_file:
                context.load_cert_chain(self.tls.cert_file, self.tls.key_file or None)
            if skip_verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            if alpn:
                context.set_alpn_protocols(list(alpn))
            self._contexts[skip_verify, alpn] = context
        return context

    async def http_session(self) -> aiohttp.ClientSession:
        """The session of all HTTP checks. It keeps no connection open: a check asks whether a new one is answered."""
        async with self._opening:
            if self._session is None:
                # The import takes a while, so it happens aside and only where there is an HTTP check.
                http = await asyncio.to_thread(importlib.import_module, "aiohttp")
                self._session = http.ClientSession(
                    connector=http.TCPConnector(limit=0, force_close=True, use_dns_cache=False),
                    cookie_jar=http.DummyCookieJar(),
                    timeout=http.ClientTimeout(total=None),
                )
        return self._session

    async def close(self) -> None:
        """Ends what was opened."""
        if self._session is not None:
            await self._session.close()
            self._session = None
