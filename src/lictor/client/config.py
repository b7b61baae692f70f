"""Where the agent is and how to talk to it: one value, read from the environment or built by hand. Opens no connection.

The environment's names and meanings are the reference's (CONSUL_HTTP_ADDR and its family).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from lictor.errors import ConfigError

DEFAULT_PORT = 8500


class Address(NamedTuple):
    """An agent's address. With `unix` the host and port only fill the Host header."""

    scheme: str = "http"
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    unix: str = ""
    prefix: str = ""

    def __str__(self) -> str:
        if self.unix:
            return f"unix://{self.unix}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.prefix}"

    @classmethod
    def parse(cls, text: str, *, tls: bool = False) -> Address:
        """Reads `host`, `host:port`, `http://...`, `https://...` or `unix:///path`; `tls` makes it HTTPS.

        Raises ConfigError naming the address.
        """
        scheme, found, rest = text.partition("://")
        if not found:
            scheme, rest = "http", text
        scheme = scheme.lower()
        if scheme == "unix":
            if not rest:
                raise ConfigError(f"address {text!r}: a socket's path must follow unix://")
            return cls(scheme="https" if tls else "http", host="127.0.0.1", unix=rest)
        if scheme not in ("http", "https"):
            raise ConfigError(f"address {text!r}: unknown scheme {scheme!r} (http, https and unix are known)")
        if tls:
            scheme = "https"
        authority, slash, path = rest.partition("/")
        # An URL without a port means the scheme's own, as everywhere; a bare name means the agent's.
        default = DEFAULT_PORT if not found else 443 if scheme == "https" else 80
        host, port = _host_and_port(authority, text, default)
        return cls(scheme, host, port, prefix=(slash + path).rstrip("/"))


def _host_and_port(authority: str, text: str, default_port: int) -> tuple[str, int]:
    if authority.startswith("["):
        host, bracket, rest = authority[1:].partition("]")
        if not bracket:
            raise ConfigError(f"address {text!r}: the bracket of the IPv6 address is not closed")
        colon, port = rest[:1], rest[1:]
    elif authority.count(":") > 1:
        host, colon, port = authority, "", ""
    else:
        host, colon, port = authority.partition(":")
    if colon and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ConfigError(f"address {text!r}: {port!r} is not a port")
    return host or "127.0.0.1", int(port) if colon else default_port


class Tls(NamedTuple):
    """How to check the agent's certificate and which one to show. Paths of PEM files; empty means the system's."""

    ca_file: str = ""
    ca_path: str = ""
    cert: str = ""
    key: str = ""
    server_name: str = ""
    verify: bool = True


class Config(NamedTuple):
    """Everything a client needs to know. Times are in seconds.

    `datacenter`, `namespace`, `token`, `stale` and `consistent` are defaults that a single request can override.
    `timeout` is for an answer that is not waited for; a blocking query gets its wait, a sixteenth of it, and `timeout`.
    """

    address: Address = Address()
    token: str = ""
    token_file: str = ""
    auth: str = ""
    datacenter: str = ""
    namespace: str = ""
    stale: bool = False
    consistent: bool = False
    tls: Tls = Tls()
    connect_timeout: float = 5.0
    timeout: float = 30.0
    max_answer_bytes: int = 1 << 30

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Config:
        """Reads the reference's variables from `env` (the process's). Raises ConfigError naming the variable."""
        env = os.environ if env is None else env
        return cls(
            address=Address.parse(
                env.get("CONSUL_HTTP_ADDR") or f"127.0.0.1:{DEFAULT_PORT}", tls=_switch(env, "CONSUL_HTTP_SSL", False)
            ),
            token=env.get("CONSUL_HTTP_TOKEN", ""),
            token_file=env.get("CONSUL_HTTP_TOKEN_FILE", ""),
            auth=env.get("CONSUL_HTTP_AUTH", ""),
            namespace=env.get("CONSUL_NAMESPACE", ""),
            tls=Tls(
                ca_file=env.get("CONSUL_CACERT", ""),
                ca_path=env.get("CONSUL_CAPATH", ""),
                cert=env.get("CONSUL_CLIENT_CERT", ""),
                key=env.get("CONSUL_CLIENT_KEY", ""),
                server_name=env.get("CONSUL_TLS_SERVER_NAME", ""),
                verify=_switch(env, "CONSUL_HTTP_SSL_VERIFY", True),
            ),
        )

    def secret(self) -> str:
        """The token to send: what `token_file` holds now (it may rotate, so it is read each time), else `token`.

        Raises ConfigError when the file cannot be read or is empty.
        """
        if not self.token_file:
            return self.token
        try:
            with open(self.token_file, encoding="utf-8") as file:
                token = file.read(4096).strip()
        except (OSError, ValueError) as error:
            raise ConfigError(f"token file {self.token_file}: {error}") from error
        if not token:
            raise ConfigError(f"token file {self.token_file} is empty")
        return token


_SWITCHES = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}


def _switch(env: Mapping[str, str], name: str, default: bool) -> bool:
    text = env.get(name, "")
    if not text:
        return default
    value = _SWITCHES.get(text.lower())
    if value is None:
        raise ConfigError(f"{name}={text!r} is neither true nor false")
    return value
