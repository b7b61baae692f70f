"""Query options of reads."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.api.http import Request
from lictor.api.options import NONE, check_datacenter, flag, go_bool, read_options, refuse_enterprise, wait_seconds
from lictor.errors import BadRequest, LictorError, Refused


def asked(query: str) -> Request:
    return Request("GET", "/", query, {})


def test_nothing_asked() -> None:
    assert read_options(asked("")) is NONE and NONE.index == 0 and NONE.wait == 300 and NONE.consistency == ""


def test_all_asked() -> None:
    options = read_options(asked("index=7&wait=1m&stale&cached&hash=abc"))
    assert (options.index, options.wait, options.stale, options.cached, options.hash) == (7, 60.0, True, True, "abc")
    assert options.consistency == "stale" and read_options(asked("consistent")).consistency == "consistent"


@pytest.mark.parametrize(
    ("query", "seconds"),
    [("wait=10m", 600), ("wait=1h", 600), ("wait=0s", 300), ("wait=-5s", 300), ("wait=", 300), ("wait=1.5s", 1.5)],
)
def test_the_wait_has_bounds(query: str, seconds: float) -> None:
    assert wait_seconds(asked(query)) == seconds


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("index=x", "Invalid index"),
        ("index=-1", "Invalid index"),
        ("index=%C2%B2", "Invalid index"),  # a digit to Python, not to Go
        ("index=18446744073709551616", "Invalid index"),
        ("wait=10", "Invalid wait time"),
        ("wait=soon", "Invalid wait time"),
        ("stale&consistent", "Cannot specify ?stale with ?consistent, conflicting semantics."),
        ("cached&consistent", "Cannot specify ?cached with ?consistent, conflicting semantics."),
        ("ns=a", 'Bad request: Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature'),
        (
            "partition=a",
            'Bad request: Invalid query parameter: "partition" - Partitions are a Consul Enterprise feature',
        ),
        ("&".join(f"a{n}" for n in range(300)), "Invalid query string: Max number of fields exceeded"),
    ],
)
def test_what_is_wrong_is_named(query: str, text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_options(asked(query))
    assert str(caught.value) == text


def test_the_largest_index() -> None:
    assert read_options(asked("index=18446744073709551615")).index == 2**64 - 1


@given(st.text(max_size=40))
def test_any_query_is_options_or_an_error_of_ours(query: str) -> None:
    for read in (read_options, refuse_enterprise, wait_seconds):
        with suppress(LictorError):
            read(asked(query))


def test_datacenter() -> None:
    for query in ("", "dc=", "dc=dc1", "stale"):
        check_datacenter(asked(query), "dc1")
    with pytest.raises(Refused, match="No path to datacenter"):
        check_datacenter(asked("dc=dc2"), "dc1")


def test_flags() -> None:
    assert [flag(asked(query), "on") for query in ("", "on", "on=1", "on=true", "on=F")] == [
        False,
        True,
        True,
        True,
        False,
    ]
    with pytest.raises(BadRequest, match=r"Invalid value for \?on"):
        flag(asked("on=yes"), "on")
    assert go_bool("TRUE") is True and go_bool("0") is False and go_bool("tRUE") is None
