"""Every exception that lictor raises on purpose, and the tables that say what each means over HTTP and DNS.

    LictorError
    ├── BadRequest            the request cannot be read (400)
    ├── Refused               the request was read and is not acceptable; the reference says 500 to most of these
    ├── Unauthorized          what was asked needs access control that is off (401)
    ├── PermissionDenied      the token may not do this (403)
    ├── NotFound              what was named is not there (404)
    ├── MethodNotAllowed      the path exists, the method does not (405)
    ├── Conflict              the request contradicts what is there (409)
    ├── TooLarge              a body or value over its limit (413)
    ├── UnsupportedMedia      that form of the answer is switched off (415)
    ├── TooBusy               a limit of this process is reached (429)
    ├── Unavailable           this server cannot answer now (503)
    ├── ConfigError           a configuration that cannot be used
    └── StoreError
        ├── StoreConflict     a transaction's compares did not hold
        └── StoreClosed       the store is closing or lost

The text of an error is for a person: it names the field or the thing and, where there is one, the way out.
"""

from __future__ import annotations


class LictorError(Exception):
    """Root of the tree. `str(error)` is the text that a client sees."""


class BadRequest(LictorError):
    """The request cannot be read: a malformed body, a missing part of the path, a parameter of the wrong form."""


class Refused(LictorError):
    """A request that was understood and refused. The reference answers 500 to most of these; so do we."""


class Unauthorized(LictorError):
    """What was asked needs access control, which is off."""


class PermissionDenied(LictorError):
    """The token does not give the permission that the request needs."""


class NotFound(LictorError):
    """What the request names does not exist."""


class MethodNotAllowed(LictorError):
    """The path exists but not with this method. `allowed` lists those it has."""

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"method {method} not allowed")
        self.allowed = allowed


class Conflict(LictorError):
    """The request contradicts the current state."""


class TooLarge(LictorError):
    """A body or value over its limit; nothing of it was stored."""


class UnsupportedMedia(LictorError):
    """The asked-for form of an answer is not enabled."""


class TooBusy(LictorError):
    """A limit of this process is reached; trying again later may work."""


class Unavailable(LictorError):
    """This server cannot answer now: it is starting, stopping or cut off from its store."""


class ConfigError(LictorError):
    """A configuration that cannot be used; the text names the file and the key."""


class StoreError(LictorError):
    """The store could not do what was asked."""


class StoreConflict(StoreError):
    """A transaction's compares did not hold; nothing of it was written."""


class StoreClosed(StoreError):
    """The store is closed or its backend is lost."""


# The first class in an exception's ancestry that stands here decides. Anything else is a fault of ours: 500 with an id.
HTTP_STATUS: dict[type[BaseException], int] = {
    BadRequest: 400,
    Refused: 500,
    Unauthorized: 401,
    PermissionDenied: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    Conflict: 409,
    TooLarge: 413,
    UnsupportedMedia: 415,
    TooBusy: 429,
    Unavailable: 503,
    ConfigError: 500,
    StoreClosed: 503,
    StoreError: 500,
}


def http_status(error: BaseException) -> int | None:
    """The status that `error` means over HTTP, or None for what nobody foresaw."""
    for kind in type(error).__mro__:
        if kind in HTTP_STATUS:
            return HTTP_STATUS[kind]
    return None


# The same over DNS, as rcodes; anything else is SERVFAIL.
DNS_RCODE: dict[type[BaseException], int] = {NotFound: 3}
DNS_SERVFAIL = 2


def dns_rcode(error: BaseException) -> int:
    """The response code that `error` means over DNS."""
    return next((DNS_RCODE[kind] for kind in type(error).__mro__ if kind in DNS_RCODE), DNS_SERVFAIL)
