from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor import limits
from lictor.agent.config import files
from lictor.agent.config.files import Source
from lictor.errors import ConfigError
from lictor.types.duration import Duration


def decode(text: str, format: str = "hcl") -> dict[str, Any]:
    return files.decode(Source(name=f"x.{format}", text=text, format=format)).settings


def refusal(text: str, format: str = "hcl") -> str:
    with pytest.raises(ConfigError) as caught:
        decode(text, format)
    return str(caught.value)


def test_files_and_directories_are_read_in_order(tmp_path: Path) -> None:
    directory = tmp_path / "conf.d"
    (directory / "sub").mkdir(parents=True)
    for name in ("b.hcl", "a.json", "c.txt", "sub/d.json"):
        (directory / name).write_text("")
    (tmp_path / "one.json").write_text('{"node_name": "x"}')
    sources, warnings = files.read([str(tmp_path / "one.json"), str(directory)])
    assert [Path(source.name).name for source in sources] == ["one.json", "a.json", "b.hcl"]
    assert sources[0].text == '{"node_name": "x"}'
    assert len(warnings) == 1
    assert "c.txt, extension must be .hcl or .json" in warnings[0]


def test_symbolic_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "a.json").write_text("{}")
    (tmp_path / "a.json").symlink_to(tmp_path / "..data" / "a.json")
    assert [source.text for source in files.read([str(tmp_path)])[0]] == ["{}"]


def test_a_given_format_holds_for_any_name(tmp_path: Path) -> None:
    (tmp_path / "agent.conf").write_text("server = true")
    assert files.read([str(tmp_path)], "hcl")[0][0].format == "hcl"
    with pytest.raises(ConfigError, match="-config-format must be either 'hcl' or 'json'"):
        files.read([str(tmp_path)], "toml")


def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"Open failed on .*none\.json\. No such file"):
        files.read([str(tmp_path / "none.json")])
    with pytest.raises(ConfigError, match=r"Open failed on .*no-directory\. No such file"):
        files.read([str(tmp_path / "no-directory")])
    (tmp_path / "bad.json").write_bytes(b'{"a":\n "\xff"}')
    with pytest.raises(ConfigError, match=r"bad\.json: not valid UTF-8 \(line 2\)"):
        files.read([str(tmp_path)])
    monkeypatch.setattr(limits, "CONFIG_BYTES", 4)
    with pytest.raises(ConfigError, match=r"bad\.json is larger than 4 bytes"):
        files.read([str(tmp_path)])
    monkeypatch.setattr(limits, "CONFIG_BYTES", 100)
    monkeypatch.setattr(limits, "CONFIG_FILES", 1)
    (tmp_path / "another.json").write_text("{}")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ConfigError, match="more than 1 files"):
        files.read([str(tmp_path)])


def test_hcl_and_json_say_the_same() -> None:
    hcl = """
        node_name = "n"
        ports { http = 80 }
        dns_config { service_ttl { "*" = "5s" "web" = "1m" } }
        service { name = "web" port = 80 enable_tag_override = true }
        service { ID = "db1" name = "db" checks = [{ ttl = "10s" }, { http = "http://x" interval = "1s" }] }
        check { id = "c" name = "c" ttl = "1h" service_id = "db1" }
        watches { type = "key" key = "a" args = ["x"] }
    """
    text = json.dumps({
        "node_name": "n",
        "ports": {"http": 80},
        "dns_config": {"service_ttl": {"*": "5s", "web": "1m"}},
        "services": [
            {"Name": "web", "Port": 80, "EnableTagOverride": True},
            {"id": "db1", "name": "db", "checks": [{"ttl": "10s"}, {"HTTP": "http://x", "Interval": 1_000_000_000}]},
        ],
        "checks": [{"ID": "c", "Name": "c", "TTL": "1h", "ServiceID": "db1"}],
        "watches": [{"type": "key", "key": "a", "args": ["x"]}],
    })  # fmt: skip
    decoded = decode(hcl)
    assert decoded == decode(text, "json")
    assert decoded["dns_config"]["service_ttl"] == {"*": 5.0, "web": 60.0}
    assert decoded["services"][1]["Checks"][0] == {"TTL": Duration.of(10)}


def test_empty_text_and_nulls_set_nothing() -> None:
    assert decode("") == decode(" \n", "json") == decode('{"node_name": null}', "json") == {}


def test_an_unknown_key_is_named_with_its_line() -> None:
    assert refusal('{"datacenter": "dc1",\n "no_such_option": true}', "json") == (
        "Error parsing x.json: invalid config key no_such_option (line 2)"
    )
    assert refusal("\nports {\n  htp = 1\n}") == "Error parsing x.hcl: invalid config key ports.htp (line 3)"
    assert "invalid config key services[0].prot (line 1)" in refusal('services = [{ name = "x" prot = 1 }]')


def test_every_problem_is_told_at_once() -> None:
    told = refusal(
        'node_name = 1\nports { http = "80" dns = 1.5 }\nserver = "yes"\nretry_interval = "5"\nrecursors = "a"'
    )
    assert told.splitlines() == [
        "Error parsing x.hcl: 6 errors occurred:",
        "\t* node_name: expected a string, found a number (line 1)",
        "\t* ports.http: expected a number, found a string (line 2)",
        "\t* ports.dns: expected a whole number, found 1.5 (line 2)",
        "\t* server: expected a boolean, found a string (line 3)",
        '\t* retry_interval: invalid duration: time: missing unit in duration "5" (line 4)',
        "\t* recursors: expected a list, found a string (line 5)",
    ]
    assert refusal("".join(f"k{n} = 1\n" for n in range(500))).endswith("and 480 more")


def test_a_section_given_twice_in_a_file_is_refused() -> None:
    assert "ports: given 2 times, expected once (line 1)" in refusal("ports { http = 1 } ports { dns = 1 }")


def test_text_that_cannot_be_parsed_is_refused_with_its_place() -> None:
    assert refusal("a = \n").startswith("Error parsing x.hcl: At 2:1: expected a value")
    assert refusal('{"a": 1,}', "json").startswith("Error parsing x.json: At 1:")
    assert refusal("[1]", "json") == "Error parsing x.json: expected a JSON object (line 1)"
    assert "nested deeper" in refusal("{" + '"a":{' * 100_000, "json")


def test_keys_without_effect_are_reported_not_refused() -> None:
    found = files.decode(
        Source(
            name="x", text='encrypt = "k" gossip_lan { x = 1 } telemetry { disable_compat_1.9 = true }', format="hcl"
        )
    )
    assert found.settings == {"telemetry": {}}
    assert found.ignored == ["encrypt", "gossip_lan", "telemetry.disable_compat_1.9"]


def test_enterprise_keys_are_warned_of_and_segments_refused() -> None:
    found = files.decode(Source(name="x", text="read_replica = true", format="hcl"))
    assert found.warnings == ['"read_replica" is a Consul Enterprise configuration and will have no effect']
    assert "Network segments are not supported" in refusal('segment = "alpha"')


def test_merging_replaces_scalars_overlays_maps_and_appends_lists() -> None:
    under = {"a": 1, "m": {"x": 1, "y": {"z": 1}}, "l": [1]}
    assert files.merge(under, {"a": 2, "m": {"y": {"w": 2}}, "l": [2], "n": 1}) == {
        "a": 2, "m": {"x": 1, "y": {"z": 1, "w": 2}}, "l": [1, 2], "n": 1,
    }  # fmt: skip
    assert under == {"a": 1, "m": {"x": 1, "y": {"z": 1}}, "l": [1]}


_KEYS = st.sampled_from(
    ["service", "services", "ports", "http", "dns_config", "service_ttl", "check", "ttl", "x", "acl"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(_KEYS, _JSON, max_size=5))
def test_any_json_is_decoded_or_refused_by_name(document: dict[str, Any]) -> None:
    try:
        decode(json.dumps(document), "json")
    except ConfigError as error:
        assert "x.json" in str(error)


@given(
    st.lists(
        st.sampled_from(["service ", "ports ", "ttl ", "{ ", "} ", "= ", "[ ", "] ", '"1s" ', "5 ", ", "]), max_size=25
    )
)
def test_any_hcl_is_decoded_or_refused_by_name(pieces: list[str]) -> None:
    try:
        decode("".join(pieces))
    except ConfigError as error:
        assert "x.hcl" in str(error)
