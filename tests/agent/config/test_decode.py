from __future__ import annotations

import math
from typing import Annotated, Any

import pytest

from lictor.agent.config.decode import Decoder, Problem, shape
from lictor.agent.config.sections import SECONDS, DNSConfig, Seconds, Strings
from lictor.types.catalog import ServiceAddress
from lictor.types.definitions import ServiceSpec


def fitted(raw: dict[str, Any], kind: Any = ServiceSpec) -> tuple[dict[str, Any], list[Problem]]:
    decoder = Decoder()
    return decoder.struct(raw, kind), decoder.problems


def test_shapes() -> None:
    assert shape(Seconds) == ("leaf", SECONDS)
    assert shape(Strings) == ("list", str)
    assert shape(dict[str, ServiceAddress] | None) == ("map", ServiceAddress)
    assert shape(Annotated[int, "note"]) == ("leaf", int)


def test_definitions_take_any_spelling_and_sections_only_their_own() -> None:
    raw = {"TaggedAddresses": {"lan": {"address": "a", "Port": 1}}, "enable_tag_override": True, "id": "x"}
    assert fitted(raw) == (
        {"TaggedAddresses": {"lan": {"Address": "a", "Port": 1}}, "EnableTagOverride": True, "ID": "x"},
        [],
    )
    assert fitted({"Node_TTL": "1s"}, DNSConfig) == ({"node_ttl": 1.0}, [])
    assert [problem.path for problem in fitted({"nodettl": "1s"}, DNSConfig)[1]] == ["nodettl"]


def test_numbers_are_whole_when_they_must_be() -> None:
    assert fitted({"port": 80.0}) == ({"Port": 80}, [])
    wrongs: list[Any] = [80.5, True, "80", 1 << 70, [], math.inf]
    for wrong in wrongs:
        assert len(fitted({"port": wrong})[1]) == 1


def test_durations_are_text_or_nanoseconds() -> None:
    for given in ("1500ms", "1.5s", 1_500_000_000):
        assert fitted({"node_ttl": given}, DNSConfig) == ({"node_ttl": 1.5}, [])
    for wrong in ("soon", True, [1], "1"):
        assert "node_ttl: invalid duration" in fitted({"node_ttl": wrong}, DNSConfig)[1][0].text


def test_blocks_and_lists_of_one_stand_for_each_other() -> None:
    assert fitted({"checks": {"ttl": "1s"}})[0]["Checks"][0].keys() == {"TTL"}
    assert fitted({"weights": [{"passing": 2}]}) == ({"Weights": {"Passing": 2}}, [])
    assert len(fitted({"weights": [{}, {}]})[1]) == 1


def test_opaque_values_stay_as_they_are() -> None:
    config = {"Some_Key": [{"x": None}], "n": 1.5}
    assert fitted({"proxy": {"config": config}})[0]["Proxy"]["Config"] == {"Some_Key": [{"x": None}], "n": 1.5}


@pytest.mark.parametrize("raw", [{"meta": {"a": 1}}, {"tags": ["a", 1]}, {"proxy": "x"}, {"meta": ["a"]}])
def test_a_wrong_type_is_a_problem_at_its_path(raw: dict[str, Any]) -> None:
    (problem,) = fitted(raw)[1]
    assert problem.text.startswith(problem.path + ": expected")


def test_skipped_paths_are_remembered() -> None:
    decoder = Decoder({"soa.refresh"})
    assert decoder.struct({"soa": {"Refresh": "anything", "retry": 1}}, DNSConfig) == {"soa": {"retry": 1}}
    assert decoder.ignored == ["soa.refresh"]
