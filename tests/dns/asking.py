"""How the tests of DNS ask: a responder over a catalog in memory, and answers as the recordings show them."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import msgspec

from lictor.dns import DNSConfig, DNSSettings
from lictor.dns.responder import Responder
from lictor.runtime.clock import Entropy
from tests.dns.catalog import Catalog


class StillClock:
    """Time stands still."""

    def monotonic(self) -> float:
        return 0.0

    def time(self) -> float:
        return 1_700_000_000.0


class Said(msgspec.Struct):
    """An answer with its sections as sorted lines of text."""

    rcode: str
    flags: str
    answer: list[str]
    authority: list[str]
    additional: list[str]
    message: dns.message.Message
    size: int


def settings(**config: object) -> DNSSettings:
    """Settings with these keys of `dns_config`."""
    return DNSSettings(dns_config=msgspec.convert(config, DNSConfig))


def responder(catalog: Catalog, configured: DNSSettings | None = None) -> Responder:
    return Responder(catalog, configured or DNSSettings(), StillClock(), Entropy(seed=7))


def question(text: str, edns: int = 0) -> dns.message.Message:
    """`NAME TYPE` as a message."""
    name, rtype = text.split()
    asked = dns.message.make_query(name, rtype)
    if edns:
        asked.use_edns(0, payload=edns)
    return asked


def ask(asked: Responder, text: str, *, tcp: bool = False, edns: int = 0) -> Said:
    """What a responder says, which must be something at once."""
    packet = asked.respond(question(text, edns).to_wire(), "192.0.2.1", tcp)
    assert isinstance(packet, bytes)
    return heard(packet)


def heard(packet: bytes) -> Said:
    """A packet read by dnspython, which knows nothing of how it was made."""
    message = dns.message.from_wire(packet)

    def lines(section: list[dns.rrset.RRset]) -> list[str]:
        return sorted(f"{s.name} {s.ttl} {dns.rdatatype.to_text(s.rdtype)} {row}" for s in section for row in s)

    return Said(
        dns.rcode.to_text(message.rcode()),
        dns.flags.to_text(message.flags),
        lines(message.answer),
        lines(message.authority),
        lines(message.additional),
        message,
        len(packet),
    )
