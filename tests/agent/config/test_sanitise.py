from __future__ import annotations

import json

from lictor.agent.config import sanitised
from tests.agent.config.conftest import Build


def test_secrets_are_hidden(make: Build) -> None:
    config = make(
        """
        service { name = "x" token = "s3cret" connect { sidecar_service { token = "s3cret" } } }
        check { name = "c" ttl = "5s" token = "s3cret" }
        acl { tokens { agent = "s3cret" } }
        connect { ca_config { private_key = "s3cret" } }
        retry_join = ["provider=aws secret_access_key=s3cret region=x"]
        ui_config { metrics_proxy { add_headers { name = "Authorization" value = "s3cret" } } }
        store { password = "s3cret" }
        """,
        dev=True,
    ).config
    shown = sanitised(config)
    assert "s3cret" not in json.dumps(shown)
    assert shown["retry_join"] == ["provider=aws secret_access_key=hidden region=x"]
    assert shown["node_name"] == "machine"
    assert shown["services"][0]["Token"] == "hidden"
