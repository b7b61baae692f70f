"""What can go wrong between a client and an agent. Nothing here does I/O.

    LictorError
    └── ClientError
        ├── Unreachable           no connection to the agent's address
        ├── TimedOut              no answer within the time that was given
        ├── Unreadable            an answer that is not what the API promises
        ├── LockError             a lock or semaphore cannot be had or was lost
        └── ApiError              the agent answered with a status that says no; has `.status` and `.text`
            ├── BadRequest        400
            ├── Forbidden         401, 403
            ├── NotFound          404
            ├── Conflict          409
            ├── TooBusy           429
            └── ServerError       500 and above

A configuration that cannot be used (an address of an unknown form, a token file that is not there) is
`lictor.errors.ConfigError`.
"""

from __future__ import annotations

from lictor.errors import LictorError


class ClientError(LictorError):
    """Root of everything that a client raises."""


class Unreachable(ClientError):
    """No connection could be made, or it broke before an answer came. `address` is where the agent was looked for."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"cannot reach the agent at {address}: {why}")
        self.address = address


class TimedOut(ClientError):
    """No whole answer came in time. `seconds` is how long was waited."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"no answer to {what} within {seconds:g} s")
        self.seconds = seconds


class Unreadable(ClientError):
    """The answer is not of the form that the API promises: broken JSON, or more bytes than are accepted."""


class LockError(ClientError):
    """A lock or semaphore cannot be had: held too long by others, used in another way, or already held."""


class ApiError(ClientError):
    """The agent's answer says no. `status` is the HTTP status and `text` the body as text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"Unexpected response code: {status} ({text})")
        self.status = status
        self.text = text


class BadRequest(ApiError):
    """400: the request cannot be read."""


class Forbidden(ApiError):
    """401 or 403: the token does not permit this."""


class NotFound(ApiError):
    """404: what was named does not exist."""


class Conflict(ApiError):
    """409: the request contradicts what is there, such as a transaction that was rolled back."""


class TooBusy(ApiError):
    """429: a limit of the agent, or a health answer of "warning"."""


class ServerError(ApiError):
    """500 and above: the agent failed or refused; the reference says 500 to many a bad request."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: TooBusy,
}


def api_error(status: int, body: bytes) -> ApiError:
    """The exception for an answer with `status`; the body's first 4 KiB become its text."""
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
    return kind(status, body[:4096].decode(errors="replace").strip())
