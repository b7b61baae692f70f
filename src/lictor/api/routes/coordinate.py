"""/v1/coordinate: where nodes are in network terms."""

from __future__ import annotations

import math

from lictor import limits
from lictor.acl.authorizer import require
from lictor.api.context import Context
from lictor.api.http import Request, Response, empty_response, json_response
from lictor.api.options import check_datacenter
from lictor.api.router import Reply, Router
from lictor.errors import Refused
from lictor.server.commands.misc import put_coordinates
from lictor.types.gojson import Wire
from lictor.types.kv import Coord, Coordinate

router = Router()

DIMENSIONS = 8
_SERVERS = "consul"


class CoordinateUpdate(Wire, frozen=True, kw_only=True):
    """The body of /v1/coordinate/update."""

    datacenter: str = ""
    node: str = ""
    segment: str = ""
    coord: Coord | None = None
    token: str = ""


@router.action("GET", "/v1/coordinate/datacenters")
async def datacenters(context: Context, request: Request) -> Response:
    """The servers of every datacenter known. There is one datacenter, and servers are at its centre."""
    rows = context.state.catalog.instances(_SERVERS).value
    names = sorted({node.node for node, _ in rows}) or [context.config.node_name]
    centre = Coord(vec=[0.0] * DIMENSIONS)
    return json_response(
        [
            {
                "Datacenter": context.config.datacenter,
                "AreaID": "wan",
                "Coordinates": [{"Node": name, "Segment": "", "Coord": centre} for name in names],
            }
        ]
    )


@router.read("/v1/coordinate/nodes")
def nodes(context: Context, request: Request) -> Reply:
    """The coordinates of all nodes that have one, by node."""
    coordinates = context.state.coordinates
    rows = [row for row in coordinates.scan() if request.authorizer.may("node", row.node, "read")]
    return Reply(_shown(request, rows), (context.state.cells.get((coordinates.prefix,)),))


@router.read("/v1/coordinate/node/")
def node(context: Context, request: Request) -> Reply:
    """One node's coordinate, as a list."""
    require(request.authorizer, "node", request.rest, "read")
    coordinates = context.state.coordinates
    cells = (context.state.cells.get((coordinates.prefix, coordinates.name(request.rest))),)
    row = coordinates.get(request.rest)
    rows = _shown(request, [row] if row is not None else [])
    return Reply(rows, cells) if rows else Reply(None, cells, status=404, empty=True, meta=False)


@router.action("PUT", "/v1/coordinate/update")
async def update(context: Context, request: Request) -> Response:
    """Sets a node's coordinate; one of a node that is not there is passed over."""
    body = await request.decode(CoordinateUpdate, limits.BODY_BYTES)
    check_datacenter(request, context.config.datacenter)
    if body.datacenter and body.datacenter != context.config.datacenter:
        raise Refused("No path to datacenter")
    coord = body.coord
    if coord is None or not all(map(math.isfinite, (*coord.vec, coord.error, coord.adjustment, coord.height))):
        raise Refused("invalid coordinate")
    if len(coord.vec) != DIMENSIONS:
        raise Refused("incompatible coordinate")
    require(request.authorizer, "node", body.node, "write")
    row = Coordinate(node=body.node, segment=body.segment, coord=coord)
    await context.server.write(lambda tx: put_coordinates(tx, [row]))
    return empty_response()


def _shown(request: Request, rows: list[Coordinate]) -> list[dict[str, object]]:
    """What a coordinate shows, of ?segment alone if that is given."""
    wanted = request.param("segment") if request.has("segment") else None
    return [
        {"Node": row.node, "Segment": row.segment, "Coord": row.coord}
        for row in rows
        if wanted is None or row.segment == wanted
    ]
