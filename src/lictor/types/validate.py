"""Small checks on text that comes from outside, with the reference's words for what is wrong."""

from __future__ import annotations

import ipaddress
import re

_HEX = re.compile(r"[0-9a-fA-F]*\Z")
_META_KEY = re.compile(r"[a-zA-Z0-9_-]+\Z")


def uuid_error(text: str) -> str:
    """Why `text` is no UUID; empty when it is one."""
    if len(text) != 36:
        return "uuid string is wrong length"
    parts = text.split("-")
    if [len(part) for part in parts] != [8, 4, 4, 4, 12]:
        return "uuid is improperly formatted"
    digits = "".join(parts)
    return "" if _HEX.match(digits) else _bad_digit(digits)


def _bad_digit(digits: str) -> str:
    bad = next(c for c in digits if not _HEX.match(c))
    return f"encoding/hex: invalid byte: U+{ord(bad):04X} '{bad}'"


def lookup_error(text: str) -> str:
    """Why nothing can be looked up by the id `text`, in the words of the reference's index; empty when it can.

    That index takes any 36 characters of hexadecimal digits with up to four hyphens.
    """
    if len(text) != 36:
        return "UUID must be 36 characters"
    if text.count("-") > 4:
        return f'UUID should have maximum of 4 "-"; got {text.count("-")}'
    digits = text.replace("-", "")
    if len(digits) % 2:
        return "UUID (without hyphens) must be even length"
    return "" if _HEX.match(digits) else f"Invalid UUID: {_bad_digit(digits)}"


def is_any_address(address: str) -> bool:
    """True for 0.0.0.0, :: and [::], which nobody can connect to."""
    return address in ("0.0.0.0", "::", "[::]")


def ip_version(address: str) -> int:
    """4 or 6 for an IP address, 0 for anything else (a host name)."""
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 0


def meta_error(meta: dict[str, str], *, reserved: bool = True) -> str:
    """Why a node's or a service's metadata is refused; empty when it is fine."""
    from lictor.limits import META_KEY_BYTES, META_PAIRS, META_VALUE_BYTES

    if len(meta) > META_PAIRS:
        return f"metadata cannot contain more than {META_PAIRS} key/value pairs"
    for key, value in meta.items():
        reason = ""
        if not key:
            reason = "Key cannot be blank"
        elif not _META_KEY.match(key):
            reason = "Key contains invalid characters"
        elif len(key.encode()) > META_KEY_BYTES:
            reason = f"Key is too long (limit: {META_KEY_BYTES} characters)"
        elif reserved and key.lower().startswith("consul-"):
            reason = "Key prefix 'consul-' is reserved for internal use"
        elif len(value.encode()) > META_VALUE_BYTES:
            reason = f"Value is too long (limit: {META_VALUE_BYTES} characters)"
        if reason:
            return f"Couldn't load metadata pair ('{key}', '{value}'): {reason}"
    return ""
