"""What a lookup found: records in groups, before chance orders them and a packet's size cuts them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec

from lictor.dns.records import NOERROR, NXDOMAIN, Record


class Group(msgspec.Struct, frozen=True):
    """Records that stay together: an instance's, say."""

    answers: Sequence[Record]
    additional: Sequence[Record] = ()


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An answer's content. With `shuffle` the groups may come in any order; `limit` (0: none) of them are given."""

    rcode: int = NOERROR
    groups: Sequence[Group] = ()
    shuffle: bool = False
    limit: int = 0
    no_data: bool = False
    """The name exists but has no records of this type, and the zone's SOA record says so."""
    subnet_only: bool = False
    """The answer holds for the client's subnet only."""

    def varies(self) -> bool:
        """Whether asking again may give another packet."""
        return self.shuffle and len(self.groups) > 1

    def records(self, random: Random | None = None) -> tuple[list[Record], list[Record]]:
        """The answers and the additional records (each once), in an order of chance if one is given."""
        groups = list(self.groups)
        if random is not None and self.varies():
            random.shuffle(groups)
        if self.limit:
            groups = groups[: self.limit]
        answers = [record for group in groups for record in group.answers]
        return answers, list(dict.fromkeys(record for group in groups for record in group.additional))


NO_SUCH_NAME = Found(rcode=NXDOMAIN)
NO_DATA = Found(no_data=True)
