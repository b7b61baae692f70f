"""What a configuration needs to know of this machine: its name, its network addresses, what lies at a path.

Addresses come from Linux's own tables; elsewhere it is the one address that routes. No packet is sent.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from pathlib import Path

from lictor.agent.config.addresses import Interface
from lictor.agent.config.host import Host

_SIOCGIFCONF, _SIOCGIFFLAGS, _SIOCGIFNETMASK = 0x8912, 0x8913, 0x891B
_IFF_UP, _IFF_LOOPBACK = 0x1, 0x8
_IFREQ_BYTES = 40
_IFREQS = 1024


def this_machine() -> Host:
    """The machine that this process runs on."""
    return Host(hostname=socket.gethostname, interfaces=interfaces, is_file=_is_file)


def _is_file(path: str) -> bool:
    return os.path.exists(path) and not os.path.isdir(path)


def interfaces() -> list[Interface]:
    """All addresses, IPv4 first. Empty when the machine has none but could be asked."""
    try:
        return [*_ipv4(), *_ipv6()]
    except (ImportError, OSError):
        return _routed()


def _default_names() -> set[str]:
    """Interfaces that a default IPv4 route leaves through."""
    rows = [line.split() for line in _lines("/proc/net/route")[1:]]
    return {row[0] for row in rows if len(row) > 7 and row[1] == "00000000" and row[7] == "00000000"}


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _ipv4() -> list[Interface]:
    import array
    import fcntl

    found: list[Interface] = []
    default = _default_names()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        table = array.array("B", bytes(_IFREQ_BYTES * _IFREQS))
        request = struct.pack("iL", len(table), table.buffer_info()[0])
        used = struct.unpack("iL", fcntl.ioctl(asker.fileno(), _SIOCGIFCONF, request))[0]
        raw = table.tobytes()[:used]
        for at in range(0, used, _IFREQ_BYTES):
            name = raw[at : at + 16].split(b"\0", 1)[0]
            address = socket.inet_ntoa(raw[at + 20 : at + 24])
            query = struct.pack("40s", name)
            flags = struct.unpack_from("H", fcntl.ioctl(asker.fileno(), _SIOCGIFFLAGS, query), 16)[0]
            mask = fcntl.ioctl(asker.fileno(), _SIOCGIFNETMASK, query)[20:24]
            label = name.decode("utf-8", "replace")
            found.append(
                Interface(
                    name=label,
                    address=address,
                    prefix=int.from_bytes(mask, "big").bit_count(),
                    up=bool(flags & _IFF_UP),
                    loopback=bool(flags & _IFF_LOOPBACK),
                    default=label in default,
                )
            )
    return found


def _ipv6() -> list[Interface]:
    rows = [line.split() for line in _lines("/proc/net/if_inet6")]
    return [
        Interface(
            name=row[5],
            address=str(ipaddress.IPv6Address(int(row[0], 16))),
            prefix=int(row[2], 16),
            loopback=row[5] == "lo",
        )
        for row in rows
        if len(row) == 6
    ]


def _routed() -> list[Interface]:
    """The address that a packet to elsewhere would leave from; connecting a UDP socket sends none."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.connect(("192.0.2.1", 9))
            return [Interface(name="default", address=asker.getsockname()[0], prefix=32, default=True)]
    except OSError:
        return []
