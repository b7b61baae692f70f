from __future__ import annotations

from typing import Any

from lictor.agent.config.spelling import MOVED, FileSettings, settle


def test_old_spellings_move_with_a_warning() -> None:
    settings: dict[str, Any] = {"acl_token": "t", "ui": True, "acl_ttl": 5.0}
    warnings = settle(settings)
    assert settings == {
        "acl": {"tokens": {"default": "t"}, "token_ttl": 5.0},
        "ui_config": {"enabled": True},
    }
    assert "The 'ui' field is deprecated. Use the 'ui_config.enabled' field instead." in warnings
    assert len(warnings) == 3


def test_the_proper_spelling_wins() -> None:
    settings: dict[str, Any] = {"acl_master_token": "old", "acl": {"tokens": {"master": "new"}}}
    settle(settings)
    assert settings == {"acl": {"tokens": {"master": "new"}}}


def test_later_names_of_tokens_are_taken_silently() -> None:
    settings: dict[str, Any] = {"acl": {"tokens": {"initial_management": "a", "agent_recovery": "b"}}}
    assert settle(settings) == []
    assert settings == {"acl": {"tokens": {"master": "a", "agent_master": "b"}}}


def test_two_old_keys_imply_more() -> None:
    settings: dict[str, Any] = {"acl_datacenter": "dc2", "acl_replication_token": "r"}
    settle(settings)
    assert settings == {
        "primary_datacenter": "dc2",
        "acl": {"enabled": True, "enable_token_replication": True, "tokens": {"replication": "r"}},
    }


def test_every_moved_key_can_be_given() -> None:
    fields = set(FileSettings.__struct_fields__)
    assert {moved.old.partition(".")[0] for moved in MOVED} <= fields
    assert {moved.new.partition(".")[0] for moved in MOVED} <= fields
