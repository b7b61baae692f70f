"""/v1/acl: access control is not there yet, and every endpoint says so as the reference does where it is off."""

from __future__ import annotations

from lictor.api.context import Context
from lictor.api.http import Request, Response
from lictor.api.router import Router
from lictor.errors import Unauthorized

router = Router()


async def _disabled(context: Context, request: Request) -> Response:
    raise Unauthorized("ACL support disabled")


for _method in ("GET", "PUT", "POST", "DELETE"):
    router.action(_method, "/v1/acl/")(_disabled)
