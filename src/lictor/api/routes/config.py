"""/v1/config: configuration entries."""

from __future__ import annotations

from typing import Any

import msgspec

from lictor import limits
from lictor.acl import Authorizer
from lictor.acl.authorizer import Access, Resource, require
from lictor.api.context import Context
from lictor.api.http import TEXT, Request, Response, json_response
from lictor.api.options import check_datacenter
from lictor.api.router import Reply, Router
from lictor.errors import BadRequest, NotFound, Refused
from lictor.server.commands import config as commands
from lictor.state.tables import NUL
from lictor.types.gojson import decode, parse_uint
from lictor.types.query import ConfigEntry

router = Router()


@router.action("PUT", "/v1/config")
async def apply(context: Context, request: Request) -> Response:
    """Writes an entry, with ?cas only if it is unchanged; tells whether it was written."""
    check_datacenter(request, context.config.datacenter)
    body = await request.body(limits.BODY_BYTES)
    try:
        raw = decode(body, dict[str, Any])
    except BadRequest as error:
        reason = str(error).removeprefix("Request decode failed: ")
        raise BadRequest(f"Bad request: Request decoding failed: {reason}") from None
    index = parse_uint(request.param("cas")) if request.param("cas") else None
    entry = commands.from_json(raw)
    require(request.authorizer, *_subject(entry.kind, entry.name), "write")
    return json_response(await context.server.write(lambda tx: commands.put(tx, entry, index)))


@router.read("/v1/config/")
def read(context: Context, request: Request) -> Reply:
    """One entry by kind and name, or those of a kind, or all."""
    kind, named, name = request.rest.partition("/")
    table = context.state.config_entries
    if not named:
        if kind:
            commands.check_kind(kind)
        cells = (context.state.cells.get((table.prefix,)),)
        rows = [row for row in table.scan(kind + NUL if kind else "") if _may(request.authorizer, row, "read")]
        return Reply([_shown(row) for row in rows], cells)
    commands.check_kind(kind)
    require(request.authorizer, *_subject(kind, name), "read")
    row = table.get(kind, name)
    cells = (context.state.cells.get((table.prefix, table.name(kind, name))),)
    if row is None:
        text = f'Config entry not found for "{kind}" / "{name}"'
        return Reply(text.encode(), cells, status=404, raw=True, headers=(("Content-Type", TEXT),))
    return Reply(_shown(row), cells)


@router.action("DELETE", "/v1/config/")
async def delete(context: Context, request: Request) -> Response:
    """Deletes an entry; one that is not there is no error. With ?cas only if unchanged, and it tells whether it did."""
    check_datacenter(request, context.config.datacenter)
    kind, named, name = request.rest.partition("/")
    if not named:
        raise NotFound("Must provide both a kind and name to delete")
    try:
        commands.check_kind(kind)
    except Refused as error:
        raise BadRequest(str(error)) from None
    require(request.authorizer, *_subject(kind, name), "write")
    index = parse_uint(request.param("cas")) if request.param("cas") else None
    done = await context.server.write(lambda tx: commands.delete(tx, kind, name, index))
    return json_response(done if index is not None else {})


def _shown(entry: ConfigEntry) -> dict[str, Any]:
    """An entry as it was written, with its indexes."""
    body: dict[str, Any] = msgspec.json.decode(entry.body)
    return body | {"CreateIndex": entry.create_index, "ModifyIndex": entry.modify_index}


def _subject(kind: str, name: str) -> tuple[Resource, str]:
    """What the right to an entry is asked for: its service, or the whole cluster."""
    return ("service", name) if kind in commands.SERVICE_KINDS else ("operator", "")


def _may(authorizer: Authorizer, entry: ConfigEntry, access: Access) -> bool:
    return authorizer.may(*_subject(entry.kind, entry.name), access)
