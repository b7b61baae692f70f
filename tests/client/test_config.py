from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.client.config import Address, Config
from lictor.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8500", Address()),
        ("consul.example", Address(host="consul.example")),
        ("http://consul.example", Address(host="consul.example", port=80)),
        ("https://consul.example", Address("https", "consul.example", 443)),
        ("HTTPS://consul.example:8501/", Address("https", "consul.example", 8501)),
        ("http://consul.example/behind/proxy/", Address(host="consul.example", port=80, prefix="/behind/proxy")),
        ("[::1]:8500", Address(host="::1")),
        ("http://[::1]:99", Address(host="::1", port=99)),
        ("::1", Address(host="::1")),
        (":8600", Address(port=8600)),
        ("unix:///run/lictor.sock", Address(unix="/run/lictor.sock")),
    ],
)
def test_addresses(text: str, expected: Address) -> None:
    assert Address.parse(text) == expected


@pytest.mark.parametrize("text", ["ftp://a", "a:b", "a:0", "a:70000", "unix://", "[::1", "http://a:x/v"])
def test_unusable_addresses_are_named(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        Address.parse(text)
    assert repr(text) in str(error.value)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = Address.parse(text)
    except ConfigError:
        return
    assert 0 < address.port < 65536
    assert str(address)


def test_tls_is_never_taken_back() -> None:
    assert Address.parse("http://a:1", tls=True).scheme == "https"


def test_addresses_are_shown_as_they_are_written() -> None:
    for text in ("http://127.0.0.1:8500", "https://[::1]:8501", "unix:///run/a.sock", "http://a:80/x"):
        assert str(Address.parse(text)) == text


def test_environment() -> None:
    config = Config.from_env(
        {
            "CONSUL_HTTP_ADDR": "agent:8501",
            "CONSUL_HTTP_SSL": "true",
            "CONSUL_HTTP_SSL_VERIFY": "false",
            "CONSUL_HTTP_TOKEN": "secret",
            "CONSUL_HTTP_AUTH": "user:pass",
            "CONSUL_NAMESPACE": "team",
            "CONSUL_CACERT": "ca.pem",
            "CONSUL_CAPATH": "/ca",
            "CONSUL_CLIENT_CERT": "c.pem",
            "CONSUL_CLIENT_KEY": "k.pem",
            "CONSUL_TLS_SERVER_NAME": "server.dc1.consul",
        }
    )
    assert str(config.address) == "https://agent:8501"
    assert config.tls == ("ca.pem", "/ca", "c.pem", "k.pem", "server.dc1.consul", False)
    assert (config.secret(), config.auth, config.namespace) == ("secret", "user:pass", "team")


def test_an_empty_environment_is_the_local_agent() -> None:
    assert Config.from_env({}) == Config()


def test_a_switch_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match="CONSUL_HTTP_SSL="):
        Config.from_env({"CONSUL_HTTP_SSL": "perhaps"})


def test_the_token_file_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    config = Config.from_env({"CONSUL_HTTP_TOKEN_FILE": str(file), "CONSUL_HTTP_TOKEN": "other"})
    with pytest.raises(ConfigError, match="token"):
        config.secret()
    file.write_text("first\n")
    assert config.secret() == "first"
    file.write_text("second")
    assert config.secret() == "second"
    file.write_text(" ")
    with pytest.raises(ConfigError, match="empty"):
        config.secret()
