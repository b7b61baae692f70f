from __future__ import annotations

from collections import Counter

from lictor import limits
from lictor.dns import DNSSettings
from lictor.dns.ready import Ready, Shelf
from lictor.state.cells import Cell
from tests.dns.asking import ask, heard, question, responder
from tests.dns.catalog import Catalog


def test_a_packet_is_ready_until_its_cell_moves() -> None:
    cell = Cell(4)
    entry = Ready(b"packet", [cell, cell], None)
    assert entry.packet() == b"packet"
    cell.index = 5
    assert entry.packet() is None


def test_an_entry_shows_new_orders_for_ever() -> None:
    made = iter(range(10_000))
    entry = Ready(b"first", [], lambda: str(next(made)).encode())
    shown = Counter(entry.packet() for _ in range(limits.DNS_VARIANTS * 400))
    assert len(shown) > limits.DNS_VARIANTS * 2
    assert max(shown.values()) < limits.DNS_VARIANTS * 150


def test_a_shelf_holds_so_many_and_the_oldest_go() -> None:
    shelf = Shelf()
    for number in range(limits.DNS_READY_NAMES + 5):
        shelf.put(number.to_bytes(4), Ready(b"", [], None))
    assert len(shelf.entries) == limits.DNS_READY_NAMES
    assert bytes(4) not in shelf.entries
    shelf.clear()
    for number in range(5):
        shelf.put(number.to_bytes(4), Ready(bytes(limits.DNS_READY_BYTES // 3), [], None))
    assert len(shelf.entries) == 2


def test_questions_are_answered_from_the_shelf_until_the_catalog_changes() -> None:
    catalog = Catalog()
    asked = responder(catalog)
    catalog.put(catalog.put_node("a", "10.0.0.1"), "web")
    message = question("web.service.consul A").to_wire()
    shelf = asked.shelves[False].entries

    def ready() -> list[str] | None:
        packet = shelf[message[2:]].packet()
        return heard(message[:2] + packet).answer if packet is not None else None

    asked.respond(message, "192.0.2.1", False)
    assert ready() == ["web.service.consul. 0 A 10.0.0.1"]
    catalog.put(catalog.put_node("b", "10.0.0.2"), "other")
    assert ready() is not None
    catalog.put(catalog.put_node("c", "10.0.0.3"), "web")
    assert ready() is None
    asked.respond(message, "192.0.2.1", False)
    assert len(ready() or []) == 2


def test_every_instance_has_its_turn() -> None:
    catalog = Catalog()
    for number in range(20):
        catalog.put(catalog.put_node(f"n{number}", f"10.0.0.{number}"), "web")
    asked = responder(catalog)
    message = question("web.service.consul A").to_wire()
    asked.respond(message, "192.0.2.1", False)
    entry = asked.shelves[False].entries[message[2:]]
    seen: Counter[str] = Counter()
    for _ in range(4000):
        packet = entry.packet()
        assert packet is not None
        seen.update(heard(message[:2] + packet).answer)
    assert len(seen) == 20


def test_new_settings_empty_the_shelves() -> None:
    asked = responder(Catalog())
    ask(asked, "nobody.service.consul A")
    assert asked.shelves[False].entries
    asked.configure(DNSSettings())
    assert not asked.shelves[False].entries
