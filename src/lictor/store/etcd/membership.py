"""Who belongs to an etcd cluster: listing, adding and removing members while it runs.

A member is added as a learner: it gets the data and has no vote, so that the others do not depend on it before it is
there. Once it has caught up it is promoted.
"""

from __future__ import annotations

import asyncio

import grpc
import msgspec

from lictor.errors import StoreError
from lictor.store.etcd.cluster import Cluster
from lictor.store.etcd.member_config import Peer
from lictor.store.etcd.rpc import MEMBER_ADD, MEMBER_LIST, MEMBER_PROMOTE, MEMBER_REMOVE, EtcdError
from lictor.store.etcd.schema import message

LOOK_SECONDS = 0.5
"""How often a learner is tried to be promoted."""

_Add = message("MemberAddRequest")
_List = message("MemberListRequest")
_Promote = message("MemberPromoteRequest")
_Remove = message("MemberRemoveRequest")


class Member(msgspec.Struct, frozen=True):
    """A member as the cluster knows it. One that was added and never started has no name and no client URLs."""

    id: int
    name: str
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...]
    learner: bool


async def list_members(cluster: Cluster) -> list[Member]:
    """All members."""
    response = await cluster.ask(MEMBER_LIST, _List(linearizable=True))
    return [Member(m.ID, m.name, tuple(m.peerURLs), tuple(m.clientURLs), m.isLearner) for m in response.members]


async def add_member(cluster: Cluster, new: Peer) -> tuple[Peer, ...]:
    """Adds a member that is not started yet, as a learner, and returns all peers, for it to be started with.

    Adding one that is there already changes nothing. Raises StoreError when the cluster does not take it now, because
    members are down or another learner has not caught up.
    """
    try:
        await cluster.ask(MEMBER_ADD, _Add(peerURLs=[new.peer_url], isLearner=True))
    except EtcdError as error:
        if "already exist" not in str(error):
            raise
    others = [member for member in await list_members(cluster) if new.peer_url not in member.peer_urls]
    return (*(Peer(other.name, other.peer_urls[0], next(iter(other.client_urls), "")) for other in others), new)


async def promote_member(cluster: Cluster, peer_url: str, seconds: float) -> None:
    """Gives a learner its vote once it has caught up. Raises StoreError when it has not in that time."""
    try:
        async with asyncio.timeout(seconds):
            while not await _promoted(cluster, peer_url):
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise StoreError(f"etcd: the member at {peer_url} has not caught up in {seconds:g} s") from None


async def remove_member(cluster: Cluster, peer_url: str) -> None:
    """Removes a member; one that is not there is no error. Raises StoreError when too few would be left that are up."""
    for member in await list_members(cluster):
        if peer_url in member.peer_urls:
            try:
                await cluster.ask(MEMBER_REMOVE, _Remove(ID=member.id))
            except EtcdError as error:
                if error.code is not grpc.StatusCode.NOT_FOUND:
                    raise


async def _promoted(cluster: Cluster, peer_url: str) -> bool:
    found = [member for member in await list_members(cluster) if peer_url in member.peer_urls]
    if not found:
        raise StoreError(f"etcd: there is no member at {peer_url}")
    if not found[0].learner:
        return True
    try:
        await cluster.ask(MEMBER_PROMOTE, _Promote(ID=found[0].id))
    except EtcdError as error:
        if "in sync" not in str(error) and "not started" not in str(error):
            raise
        return False
    return True
