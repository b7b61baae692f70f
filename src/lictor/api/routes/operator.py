"""/v1/operator: the servers as members of a consensus, and the keyring.

There is no consensus of ours to show, and no gossip: the answers have the reference's form and tell what is true.
"""

from __future__ import annotations

from lictor import limits
from lictor.acl.authorizer import require
from lictor.api.context import Context
from lictor.api.http import Request, Response, json_response
from lictor.api.options import check_datacenter, go_bool
from lictor.api.router import Router
from lictor.api.servers import allow_look, servers
from lictor.errors import BadRequest, Refused
from lictor.types.gojson import Wire

router = Router()

_PROTOCOL = "3"


class KeyringRequest(Wire, frozen=True, kw_only=True):
    """The body of the keyring's writes."""

    key: str = ""
    token: str = ""
    relay_factor: int = 0
    local_only: bool = False


@router.action("GET", "/v1/operator/raft/configuration")
async def raft_configuration(context: Context, request: Request) -> Response:
    """The servers, as members of a consensus."""
    allow_look(context, request)
    rows = [
        {
            "ID": server.id,
            "Node": server.name,
            "Address": server.address,
            "Leader": server.leader,
            "ProtocolVersion": _PROTOCOL,
            "Voter": True,
        }
        for server in servers(context)
    ]
    return json_response({"Servers": rows, "Index": context.state.revision})


@router.action("DELETE", "/v1/operator/raft/peer")
async def raft_peer(context: Context, request: Request) -> Response:
    """Takes a server out by ?id or ?address. The last one stays."""
    check_datacenter(request, context.config.datacenter)
    by_id, by_address = request.has("id"), request.has("address")
    if not by_id and not by_address:
        raise BadRequest("Must specify either ?id with the server's ID or ?address with IP:port of peer to remove")
    if by_id and by_address:
        raise BadRequest("Must specify only one of ?id or ?address")
    require(request.authorizer, "operator", "", "write")
    what = "id" if by_id else "address"
    wanted = request.param(what)
    found = next((s for s in servers(context) if wanted == (s.id if by_id else s.address)), None)
    if found is None:
        raise Refused(f'{what} "{wanted}" was not found in the Raft configuration')
    raise Refused(f"server {found.name} is alive: let it leave, or it would be back at once")


async def _keyring(context: Context, request: Request) -> Response:
    """What there is to say of gossip's keys: there is no gossip, so there are none."""
    if request.method != "GET":
        try:
            await request.decode(KeyringRequest, limits.BODY_BYTES)
        except BadRequest as error:
            raise BadRequest(f"Bad request: {error}") from None
    _check_relay_factor(request.param("relay-factor"))
    _check_local_only(request)
    require(request.authorizer, "keyring", "", "read" if request.method == "GET" else "write")
    reason = "Keyring is empty" if request.method == "GET" else "No keyring to modify"
    reason += " (encryption not enabled)"
    node, datacenter = context.config.node_name, context.config.datacenter
    pools = [(f"{datacenter} (LAN)", node)]
    if not request.param("local-only"):
        pools.insert(0, ("WAN", f"{node}.{datacenter}"))
    lines: list[str] = []
    for pool, name in pools:
        lines += [f"{pool} error: 1/1 nodes reported failure", f"{name}: {reason}"]
    raise Refused(f"{len(lines)} errors occurred:\n" + "".join(f"\t* {line}\n" for line in lines) + "\n")


for _method in ("GET", "POST", "PUT", "DELETE"):
    router.action(_method, "/v1/operator/keyring")(_keyring)


def _check_relay_factor(text: str) -> None:
    if not text:
        return
    if not text.lstrip("-").isascii() or not text.lstrip("-").isdecimal():
        raise BadRequest(f'Bad request: Error parsing relay factor: strconv.Atoi: parsing "{text}": invalid syntax')
    if len(text) > 2 or not 0 <= int(text) <= 5:
        raise BadRequest(f"Bad request: Invalid relay-factor: invalid relay-factor {text}: must be in range [0, 5]")


def _check_local_only(request: Request) -> None:
    text = request.param("local-only")
    if not text:
        return
    value = go_bool(text)
    if value is None:
        raise BadRequest(f'Bad request: Error parsing local-only: strconv.ParseBool: parsing "{text}": invalid syntax')
    if value and request.method != "GET":
        raise BadRequest("Bad request: Invalid use of local-only: local-only can only be set for GET requests")
