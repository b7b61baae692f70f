from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.agent.config.flags import FLAGS, parse
from lictor.agent.config.schema import Settings
from lictor.errors import ConfigError


def test_flags_take_one_dash_or_two_and_both_forms_of_value() -> None:
    flags = parse(
        ["-node", "n", "--datacenter=dc2", "-server", "-http-port=0x1F90", "-ui=false", "-retry-interval", "5s"]
    )
    assert flags.settings == {
        "node_name": "n",
        "datacenter": "dc2",
        "server": True,
        "ports": {"http": 8080},
        "ui_config": {"enabled": False},
        "retry_interval": "5s",
    }


def test_lists_and_maps_grow_and_scalars_count_the_last_time() -> None:
    flags = parse(["-join=a", "-join", "b", "-node-meta", "k:v:w", "-node-meta=e", "-bind=1.1.1.1", "-bind=2.2.2.2"])
    assert flags.settings == {
        "start_join": ["a", "b"],
        "node_meta": {"k": "v:w", "e": ""},
        "bind_addr": "2.2.2.2",
    }


def test_a_list_may_lie_in_a_section() -> None:
    flags = parse(["-allow-write-http-from=10.0.0.0/8", "-allow-write-http-from", "::1/128"])
    assert flags.settings == {"http_config": {"allow_write_http_from": ["10.0.0.0/8", "::1/128"]}}


def test_what_is_read_keeps_its_order() -> None:
    flags = parse(
        ["-config-file=a", "-config-dir", "b", "-config-format=hcl", "-dev", "-hcl", "x = 1", "-hcl=y = 2", "--"]
    )
    assert flags.config_paths == ["a", "b"]
    assert (flags.config_format, flags.dev, flags.hcl, flags.settings) == ("hcl", True, ["x = 1", "y = 2"], {})


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["-nope"], "flag provided but not defined: -nope"),
        (["-node"], "flag needs an argument: -node"),
        (["-http-port", "x"], 'invalid value "x" for flag -http-port: parse error'),
        (["-http-port=" + "9" * 50], "for flag -http-port: parse error"),
        (["-server=maybe"], 'invalid boolean value "maybe" for -server: parse error'),
        (["-retry-interval=5"], "for flag -retry-interval: time: missing unit"),
        (["-server", "extra", "words"], "Unexpected extra arguments: extra words"),
        (["-dev", "--", "extra"], "Unexpected extra arguments: extra"),
        (["---node=x"], "bad flag syntax: ---node=x"),
        (["-=x"], "bad flag syntax: -=x"),
    ],
)
def test_what_is_wrong_is_named(arguments: list[str], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(arguments)
    assert problem in str(caught.value)


def test_every_flag_gives_a_key_that_files_have() -> None:
    accepted = {
        "encrypt",
        "protocol",
        "raft_protocol",
        "disable_keyring_file",
        "non_voting_server",
        "read_replica",
        "segment",
    }
    keys = {flag.key.partition(".")[0] for flag in FLAGS if flag.key}
    assert keys - accepted <= set(Settings.__struct_fields__)
    assert sorted(flag.name for flag in FLAGS) == [flag.name for flag in FLAGS]


@given(
    st.lists(
        st.sampled_from(["-node", "-dev", "--", "-http-port", "-server=1", "-", "5", "x", "-retry-max=08"]), max_size=6
    )
)
def test_any_arguments_are_read_or_refused(arguments: list[str]) -> None:
    try:
        parse(arguments)
    except ConfigError as error:
        assert str(error)
