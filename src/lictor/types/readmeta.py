"""What the reference writes into the bodies of a few reads beside their results: how the read was done."""

from __future__ import annotations

from lictor.types.gojson import Wire, always


class ReadMeta(Wire, frozen=True, kw_only=True):
    """Base of those bodies. All but the consistency level say the same of every answer of ours."""

    index: int = always(0)
    last_contact: int = always(0)
    known_leader: bool = always(True)
    consistency_level: str = always("")
    not_modified: bool = always(False)
    backend: int = always(0)
