"""/v1/kv: reading, writing, locking and deleting keys."""

from __future__ import annotations

from lictor import limits
from lictor.acl.authorizer import require
from lictor.api.context import Context
from lictor.api.http import TEXT, Request, Response, json_response
from lictor.api.options import check_datacenter
from lictor.api.router import Reply, Router
from lictor.errors import BadRequest, TooLarge
from lictor.server.commands import kv as commands
from lictor.types.gojson import parse_uint
from lictor.types.kv import KVEntry

router = Router()

# Raw values come from users: nothing in them may run in a browser that shows them.
_RAW_HEADERS = (("Content-Type", TEXT), ("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", "sandbox"))


@router.read("/v1/kv/")
def get(context: Context, request: Request) -> Reply:
    """One key, a tree of them (?recurse), their names (?keys), or a value as it is (?raw)."""
    keys, key = context.state.keys, request.rest
    if request.has("keys"):
        names = keys.list_keys(key, request.param("separator"))
        return Reply(names.value, names.cells) if names.value else Reply(None, names.cells, status=404, empty=True)
    if request.has("recurse"):
        tree = keys.below(key)
        return Reply(tree.value, tree.cells) if tree.value else Reply(None, tree.cells, status=404, empty=True)
    if not key:
        raise BadRequest("Missing key name")
    answer = keys.get(key)
    if answer.value is None:
        return Reply(None, answer.cells, status=404, empty=True)
    if request.has("raw"):
        return Reply(answer.value.value or b"", answer.cells, raw=True, headers=_RAW_HEADERS)
    return Reply([answer.value], answer.cells)


@router.action("PUT", "/v1/kv/")
async def put(context: Context, request: Request) -> Response:
    """Sets a key, plainly or with one of ?cas, ?acquire, ?release."""
    key = _key(request)
    if not request.query_string:
        entry = KVEntry(key=key, value=await _value(context, request) or None)
        await context.server.write(lambda tx: commands.set_entry(tx, entry))
        return _TRUE
    check_datacenter(request, context.config.datacenter)
    _one_of(request, "cas", "acquire", "release")
    flags = parse_uint(request.param("flags")) if request.param("flags") else 0
    index = parse_uint(request.param("cas")) if request.has("cas") else 0
    entry = KVEntry(key=key, flags=flags, value=await _value(context, request) or None)
    if request.has("cas"):
        done = await context.server.write(lambda tx: commands.cas(tx, entry, index))
    elif request.has("acquire"):
        done = await context.server.write(lambda tx: commands.lock(tx, entry, request.param("acquire")))
    elif request.has("release"):
        done = await context.server.write(lambda tx: commands.unlock(tx, entry, request.param("release")))
    else:
        done = await context.server.write(lambda tx: commands.set_entry(tx, entry))
    response = json_response(done is not None)
    if done is not None and request.has("acquire"):
        # A fencing token: whoever holds the lock later has a higher one.
        response.headers.append(("X-Consul-Lockindex", str(done.lock_index)))
    return response


@router.action("DELETE", "/v1/kv/")
async def delete(context: Context, request: Request) -> Response:
    """Deletes a key (with ?cas only if unchanged) or a tree (?recurse)."""
    check_datacenter(request, context.config.datacenter)
    _one_of(request, "recurse", "cas")
    key = request.rest
    if request.has("recurse"):
        require(request.authorizer, "key", key, "write")
        await context.server.write(lambda tx: commands.delete_tree(tx, key))
        return _TRUE
    _key(request)
    if request.has("cas"):
        index = parse_uint(request.param("cas"))
        return json_response(await context.server.write(lambda tx: commands.delete_cas(tx, key, index)))
    await context.server.write(lambda tx: commands.delete(tx, key))
    return _TRUE


def _key(request: Request) -> str:
    key = request.rest
    if not key:
        raise BadRequest("Missing key name")
    if len(key) > limits.KEY_BYTES // 4 and len(key.encode()) > limits.KEY_BYTES:
        raise BadRequest(f"Key name is longer than {limits.KEY_BYTES} bytes")
    require(request.authorizer, "key", key, "write")
    return key


async def _value(context: Context, request: Request) -> bytes:
    limit = context.config.limits.kv_value_bytes
    try:
        return await request.body(limit)
    except TooLarge as error:
        raise TooLarge(f"{error} See https://www.consul.io/docs/agent/options.html#kv_max_value_size.") from None


def _one_of(request: Request, *names: str) -> None:
    """Raises BadRequest when more than one of these parameters is there."""
    found = [name for name in names if request.has(name)]
    if len(found) > 1:
        raise BadRequest(
            "Conflicting flags: " + "&".join(f"{name}={request.param(name)}" for name in sorted(request.params))
        )


_TRUE = json_response(True)
