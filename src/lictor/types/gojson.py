"""JSON as the reference's Go code reads and writes it.

Reading: keys match whatever their case (and a few alternative spellings), null means "leave the zero value", unknown
keys are an error, durations are "10s" or nanoseconds. Writing: field names are Go's, `omitempty` is a default that is
left out. This module must not know any particular type.
"""

from __future__ import annotations

import re
import types
import typing
from functools import lru_cache
from typing import Annotated, Any, TypeVar

import msgspec

from lictor.errors import BadRequest
from lictor.types.duration import Duration

T = TypeVar("T")

_UPPER = {
    "id",
    "http",
    "tcp",
    "ttl",
    "dns",
    "kv",
    "grpc",
    "udp",
    "tls",
    "ca",
    "os",
    "url",
    "sni",
    "ui",
    "ip",
    "json",
    "acl",
    "rpc",
}
_SPECIAL = {"ids": "IDs", "h2ping": "H2PING", "h2": "H2", "grpc_use_tls": "GRPCUseTLS"}


def go_name(field: str) -> str:
    """The reference's JSON name of a Python field: `check_id` -> `CheckID`, `tls_skip_verify` -> `TLSSkipVerify`."""
    if field in _SPECIAL:
        return _SPECIAL[field]
    parts = field.split("_")
    return "".join(_SPECIAL.get(p) or (p.upper() if p in _UPPER else p.capitalize()) for p in parts)


Uint = Annotated[int, msgspec.Meta(ge=0)]
"""A Go uint64."""


def always(value: Any) -> Any:
    """A default that is written even in a Struct that omits defaults (Go fields without `omitempty`)."""
    return msgspec.field(default_factory=lambda: value)


def always_list() -> Any:
    """An empty list that is written even in a Struct that omits defaults."""
    return msgspec.field(default_factory=lambda: [])


class Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename=go_name):
    """Base of everything in Consul's JSON names. Fields at their default are left out unless made with `always`."""


def encode_hook(value: Any) -> Any:
    """What msgspec cannot write by itself."""
    if isinstance(value, Duration):
        return str(value)
    raise NotImplementedError(f"cannot encode {type(value).__name__}")


def decode_hook(kind: type, value: Any) -> Any:
    """What msgspec cannot read by itself. Raises ValueError with the reason."""
    if kind is Duration:
        return Duration.read(value)
    raise NotImplementedError(f"cannot decode {kind.__name__}")


_encoder = msgspec.json.Encoder(enc_hook=encode_hook)


def encode(value: Any) -> bytes:
    """`value` as compact JSON."""
    return _encoder.encode(value)


def pretty(encoded: bytes) -> bytes:
    """JSON indented by four spaces, as `?pretty` gives it, with the line's end that the reference adds."""
    return msgspec.json.format(encoded, indent=4) + b"\n"


def decode(body: bytes, kind: type[T], aliases: dict[str, str] | None = None) -> T:
    """`body` as a `kind`, read as Go reads it. `aliases` maps further spellings (lower case) to JSON names.

    Raises BadRequest whose text begins like the reference's and names the field.
    """
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest(f"Request decode failed: {error}") from None
    if raw is None and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        raw = {}  # null leaves the zero value, for a whole body as for a field
    return convert(raw, kind, aliases)


def convert(raw: Any, kind: type[T], aliases: dict[str, str] | None = None) -> T:
    """Decoded JSON (or HCL) as a `kind`, under the same rules and errors as `decode`."""
    try:
        return msgspec.convert(_fit(raw, kind, aliases or {}), kind, dec_hook=decode_hook)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        raise BadRequest(f"Request decode failed: {error}") from None


@lru_cache(maxsize=512)
def _fields(kind: type) -> dict[str, tuple[str, Any]]:
    """JSON names in lower case -> (JSON name, type)."""
    hints = typing.get_type_hints(kind)
    return {f.encode_name.lower(): (f.encode_name, hints[f.name]) for f in msgspec.structs.fields(kind)}


@lru_cache(maxsize=2048)
def _shape(kind: Any) -> tuple[str, Any]:
    """What `_fit` does with a type: ("struct", S), ("list", item), ("map", value) or ("leaf", type)."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _shape(typing.get_args(kind)[0])
    if origin in (typing.Union, types.UnionType):
        for option in typing.get_args(kind):
            shape = _shape(option)
            if shape[0] != "leaf":
                return shape
        return "leaf", kind
    if origin in (list, tuple):
        return "list", typing.get_args(kind)[0]
    if origin is dict:
        return "map", typing.get_args(kind)[1]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return "struct", kind
    return "leaf", kind


def _fit(raw: Any, kind: Any, aliases: dict[str, str]) -> Any:
    """`raw` with keys spelled as `kind` spells them and without nulls."""
    shape, inner = _shape(kind)
    if shape == "struct" and isinstance(raw, dict):
        fields = _fields(inner)
        out: dict[str, Any] = {}
        for key, value in raw.items():
            low = str(key).lower()
            found = fields.get(low) or fields.get(aliases.get(low, "").lower()) or fields.get(low.replace("_", ""))
            if found is None:
                raise ValueError(f'json: unknown field "{key}"')
            if value is not None:
                out[found[0]] = _fit(value, found[1], aliases)
        return out
    if shape == "list" and isinstance(raw, list):
        return [_fit(item, inner, aliases) for item in raw]
    if shape == "map" and isinstance(raw, dict):
        return {key: _fit(value, inner, aliases) for key, value in raw.items() if value is not None or inner is Any}
    _check_numbers(raw)
    return raw


def _check_numbers(raw: Any) -> None:
    """Raises ValueError for whole numbers beyond 64 bits, which neither Go nor our store can hold."""
    if isinstance(raw, int):
        if not -(1 << 63) <= raw < 1 << 64:
            raise ValueError("json: cannot unmarshal a number beyond 64 bits")
    elif isinstance(raw, dict):
        for value in raw.values():
            _check_numbers(value)
    elif isinstance(raw, list):
        for value in raw:
            _check_numbers(value)


_UINT = re.compile(r"\d+\Z")


def parse_uint(text: str) -> int:
    """An unsigned 64-bit number from a query string, with Go's words for what is wrong with it."""
    from lictor.errors import Refused

    if not _UINT.match(text):
        raise Refused(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    value = int(text) if len(text) <= 20 else 1 << 64
    if value >= 1 << 64:
        raise Refused(f'strconv.ParseUint: parsing "{text}": value out of range')
    return value
