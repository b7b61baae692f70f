"""The agent's own services and checks: what is registered with it, kept across restarts and synced to the catalog.

`LocalState` is the truth about what runs here, `Syncer` makes the catalog agree with it, `upkeep` is what has to be
done now and then. `plan`, `records`, `validation`, `sidecar`, `health` and `rows` are pure.
"""

from __future__ import annotations

from lictor.agent.local.files import DefinitionFiles
from lictor.agent.local.settings import LocalSettings, Source
from lictor.agent.local.state import LocalState
from lictor.agent.local.statuses import NodeSeen, WatchNode
from lictor.agent.local.sync import Catalog, Syncer
from lictor.agent.local.upkeep import upkeep

__all__ = [
    "Catalog",
    "DefinitionFiles",
    "LocalSettings",
    "LocalState",
    "NodeSeen",
    "Source",
    "Syncer",
    "WatchNode",
    "upkeep",
]
