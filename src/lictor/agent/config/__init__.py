"""The agent's configuration: from flags and files to a checked `RuntimeConfig`, and what of it may change later.

`parse_flags(argv)`, then `load(flags, this_machine())`; at SIGHUP `load` again and `reload_diff`. Everything is pure
but `files.read` and `machine`. The keys are the reference's: see `sections` and `schema`, and `accepted` for those
without effect.
"""

from lictor.agent.config.build import Built, build, load
from lictor.agent.config.definitions import check_problem, service_problem, weights_problem
from lictor.agent.config.files import Source
from lictor.agent.config.flags import FLAGS, Flags
from lictor.agent.config.flags import parse as parse_flags
from lictor.agent.config.host import Host
from lictor.agent.config.machine import this_machine
from lictor.agent.config.reload import Reload, reload_diff
from lictor.agent.config.sanitise import sanitised
from lictor.agent.config.schema import Address, Listeners, RuntimeConfig

__all__ = [
    "FLAGS",
    "Address",
    "Built",
    "Flags",
    "Host",
    "Listeners",
    "Reload",
    "RuntimeConfig",
    "Source",
    "build",
    "check_problem",
    "load",
    "parse_flags",
    "reload_diff",
    "sanitised",
    "service_problem",
    "this_machine",
    "weights_problem",
]
