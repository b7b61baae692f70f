"""/v1/snapshot: the servers' whole content, saved and put back."""

from __future__ import annotations

import asyncio
import tempfile

from lictor import limits
from lictor.acl.authorizer import require
from lictor.api.context import Context
from lictor.api.http import Request, Response, StreamResponse, empty_response
from lictor.api.options import check_datacenter
from lictor.api.router import Router
from lictor.server import snapshots

router = Router()


@router.action("GET", "/v1/snapshot")
async def save(context: Context, request: Request) -> StreamResponse:
    """An archive with everything."""
    check_datacenter(request, context.config.datacenter)
    require(request.authorizer, "acl", "", "write")
    if not request.has("stale"):
        await context.server.barrier()
    saved = await snapshots.save(context.server, context.entropy.uuid())
    headers = [("Content-Type", "application/x-gzip"), *context.meta_headers(saved.index)]
    return StreamResponse(saved.pieces, headers=headers)


@router.action("PUT", "/v1/snapshot")
async def restore(context: Context, request: Request) -> Response:
    """Replaces everything by what an archive holds."""
    check_datacenter(request, context.config.datacenter)
    require(request.authorizer, "acl", "", "write")
    with tempfile.TemporaryFile() as file:
        async for piece in request.pieces(limits.SNAPSHOT_BODY_BYTES):
            await asyncio.to_thread(file.write, piece)
        file.seek(0)
        await snapshots.restore(context.server, file)
    context.agent.syncer.trigger_full()
    return empty_response()
