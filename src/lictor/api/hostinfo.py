"""What /v1/agent/host says of the machine, read from the kernel's own tables (Linux)."""

from __future__ import annotations

import os
import platform
import shutil
from typing import Any


def host_info(path: str, now: float) -> dict[str, Any]:
    """Memory and disk in bytes, uptime in seconds, collection time in nanoseconds since 1970."""
    disk = shutil.disk_usage(path if os.path.exists(path) else "/")
    system = os.uname()
    return {
        "Memory": _memory(),
        "CPU": [
            {"cpu": number, "modelName": platform.processor() or system.machine}
            for number in range(os.cpu_count() or 1)
        ],
        "Host": {
            "hostname": system.nodename,
            "os": system.sysname.lower(),
            "kernelVersion": system.release,
            "kernelArch": system.machine,
            "uptime": int(_first_number("/proc/uptime")),
        },
        "Disk": {
            "path": path,
            "total": disk.total,
            "free": disk.free,
            "used": disk.used,
            "usedPercent": 100 * disk.used / disk.total if disk.total else 0.0,
        },
        "CollectionTime": int(now * 1e9),
        "Errors": None,
    }


def _memory() -> dict[str, Any]:
    rows: dict[str, int] = {}
    with open("/proc/meminfo") as file:
        for line in file:
            name, _, rest = line.partition(":")
            rows[name] = int(rest.split()[0]) * 1024
    total, free = rows.get("MemTotal", 0), rows.get("MemAvailable", 0)
    return {
        "total": total,
        "available": free,
        "used": total - free,
        "usedPercent": 100 * (total - free) / total if total else 0.0,
        "free": rows.get("MemFree", 0),
    }


def _first_number(path: str) -> float:
    with open(path) as file:
        return float(file.read().split()[0])
