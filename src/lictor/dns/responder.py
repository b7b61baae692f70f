"""From a message's bytes to the answer's: the whole of DNS but for the waiting.

`Responder.respond` gives the answer, or what must come first: a `Later` waits for the catalog's own answer; a `Forward`
sends the client's question on to the recursors; a `Chase` has them look up host names that the catalog's answer leads
to, after which `respond` is called again with what they said. No I/O; nothing that a client sends, and nothing that the
catalog raises, makes it raise.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from random import Random

import msgspec

from lictor import limits
from lictor.dns import request
from lictor.dns.found import Found
from lictor.dns.lookup import Lookup
from lictor.dns.names import below, folded
from lictor.dns.packet import Sections, Shape, pack
from lictor.dns.ready import Ready, Shelf
from lictor.dns.records import AAAA, AXFR, NOTIMP, NS, NXDOMAIN, REFUSED, SERVFAIL, SOA, A, Name, Record
from lictor.dns.request import Request
from lictor.dns.settings import DNSSettings, Zone
from lictor.dns.source import Pending, Source
from lictor.errors import LictorError, dns_rcode
from lictor.runtime.clock import Clock, Entropy
from lictor.runtime.log import get_logger

log = get_logger("dns")

Resolved = Mapping[Name, Sequence[Record]]


class Forward(msgspec.Struct, frozen=True):
    """The recursors shall answer this message; if none does, `failed` is the answer."""

    message: bytes
    failed: bytes


class Chase(msgspec.Struct, frozen=True):
    """Host names (in lower case) whose records of type `rtype` the answer needs."""

    hosts: tuple[Name, ...]
    rtype: int


class Later(msgspec.Struct, frozen=True):
    """The catalog's answer is on its way: ask again after `wait`. If it does not come, `failed` is the answer."""

    wait: Callable[[], Awaitable[None]]
    failed: bytes


Response = bytes | Forward | Chase | Later


class Responder:
    """Answers for one zone. `shelves` holds the ready packets over UDP and (True) over TCP."""

    def __init__(self, source: Source, settings: DNSSettings, clock: Clock, entropy: Entropy) -> None:
        self._source, self._clock = source, clock
        self._random = Random(entropy.random.getrandbits(64))
        self.shelves = {False: Shelf(), True: Shelf()}
        self.malformed = 0
        self.faults = 0
        self.configure(settings)

    def configure(self, settings: DNSSettings) -> None:
        """Takes new settings, at once. Raises ConfigError, and keeps the old ones, if they cannot be used."""
        self.zone = Zone(settings)
        config = self.zone.config
        most = max(1, min(config.udp_answer_limit, limits.DNS_UDP_ANSWERS))
        compress, tell = not config.disable_compression, config.enable_truncate
        self._shapes = {tcp: Shape(tcp, compress, most, tell) for tcp in (False, True)}
        for shelf in self.shelves.values():
            shelf.clear()

    def respond(self, data: bytes, client: str, tcp: bool, resolved: Resolved | None = None) -> Response | None:
        """The answer to a message from a client's address; None for one that deserves none."""
        asked = request.read(data)
        if not isinstance(asked, Request):
            self.malformed += 1
            return asked
        try:
            return self._answer(data, asked, client, tcp, resolved)
        except Pending as pending:
            return Later(
                pending.wait, data[:2] + pack(asked, self._refusal(SERVFAIL, authoritative=True), self._shapes[tcp])
            )
        except LictorError as error:
            rcode = dns_rcode(error)
            log.warning("%s asked for %s: %s", client, asked.name, error)
        except Exception:
            rcode = SERVFAIL
            log.exception("fault answering %s about %s", client, asked.name)
        self.faults += 1
        return data[:2] + pack(asked, self._refusal(rcode, authoritative=True), self._shapes[tcp])

    def _answer(self, data: bytes, asked: Request, client: str, tcp: bool, resolved: Resolved | None) -> Response:
        zone, edns = self.zone, asked.edns
        if edns is not None and edns.subnet:
            client = request.subnet_address(edns.subnet) or client
        lookup = Lookup(zone, self._source, self._random, client, edns is not None, resolved)
        low = folded(asked.name)
        labels = zone.trimmed(low)
        found = lookup.reverse(asked.name) if labels is None else self._find(lookup, asked, labels)
        if found is None:
            return self._outside(data, asked, tcp, below(low, (b"arpa",)))
        if lookup.missing and resolved is None:
            return Chase(tuple(lookup.missing), AAAA if asked.rtype == AAAA else A)
        soa = self._soa(lookup, asked, found)
        render = partial(self._render, asked, found, soa, labels is not None, self._shapes[tcp])
        packet = render()
        if lookup.lasting and len(data) <= limits.DNS_READY_QUERY_BYTES and (edns is None or edns.plain):
            self.shelves[tcp].put(data[2:], Ready(packet, lookup.cells, render if found.varies() else None))
        return data[:2] + packet

    def _find(self, lookup: Lookup, asked: Request, labels: Name) -> Found:
        if asked.rtype in (SOA, NS):
            return lookup.nameservers()
        if asked.rtype == AXFR:
            return Found(rcode=NOTIMP)
        return lookup.find(asked.name, labels, asked.rtype)

    def _soa(self, lookup: Lookup, asked: Request, found: Found) -> Record | None:
        """The zone's SOA record, where the answer has it in some section."""
        if asked.rtype == SOA or found.rcode == NXDOMAIN or found.no_data:
            return lookup.soa(int(self._clock.time()))
        return None

    def _render(self, asked: Request, found: Found, soa: Record | None, ours: bool, shape: Shape) -> bytes:
        answers, additional = found.records(self._random)
        authority = [soa] if soa is not None else []
        if asked.rtype == SOA and ours:
            answers, authority = authority, answers  # what was found are the name servers
        said = Sections(
            rcode=found.rcode,
            answers=answers,
            authority=authority,
            additional=additional,
            recursion=bool(self.zone.recursors),
            subnet_only=found.subnet_only,
        )
        return pack(asked, said, shape)

    def _outside(self, data: bytes, asked: Request, tcp: bool, reverse: bool) -> bytes | Forward:
        """A name that is not ours: the recursors' business, if there are any."""
        recursion = bool(self.zone.recursors)
        said = self._refusal(SERVFAIL if recursion or reverse else REFUSED)
        failed = data[:2] + pack(asked, said, self._shapes[tcp])
        return Forward(data, failed) if recursion else failed

    def _refusal(self, rcode: int, authoritative: bool = False) -> Sections:
        recursion = bool(self.zone.recursors) or (rcode == SERVFAIL and not authoritative)
        return Sections(rcode=rcode, authoritative=authoritative, recursion=recursion)
