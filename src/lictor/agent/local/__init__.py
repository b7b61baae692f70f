"""The agent's own services and checks: what is registered with it, kept across restarts and synced to the catalog.

`LocalState` is the truth about what runs here; `Syncer` makes the catalog agree with it.
"""

from __future__ import annotations

from lictor.agent.local.settings import LocalSettings, Source
from lictor.agent.local.state import LocalState
from lictor.agent.local.sync import Catalog, Syncer

__all__ = ["Catalog", "LocalSettings", "LocalState", "Source", "Syncer"]
