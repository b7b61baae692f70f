from __future__ import annotations

import json

from lictor.version import REFERENCE, VERSION
from tests.cli.conftest import Lictor


def test_for_people_and_programs(lictor: Lictor) -> None:
    assert lictor("version").lines[0] == f"lictor v{VERSION}"
    assert json.loads(lictor("version -format=json").out) == {
        "Version": VERSION, "Prerelease": "", "FullVersion": VERSION, "API": REFERENCE,
    }  # fmt: skip
