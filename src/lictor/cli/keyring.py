"""`lictor keyring`: the keys that agents encrypt their gossip with, where the cluster has any."""

from __future__ import annotations

from lictor.cli.command import HttpCommand, UsageError
from lictor.cli.flags import number, switch, text
from lictor.cli.table import table

CHANGES = {"install": ("POST", "Installing new"), "use": ("PUT", "Changing primary"), "remove": ("DELETE", "Removing")}


class Keyring(HttpCommand):
    """Lists, installs, changes or removes the keys for encryption between agents. Clusters that do not gossip, as
    lictor's own, have none and answer so.

        $ lictor keyring -list
        $ lictor keyring -install "$(lictor keygen)"
    """

    words = "keyring"
    synopsis = "Manage the keys for encryption between agents"
    install = text("Install this key on all members.", placeholder="key")
    list_ = switch("List the keys in use.")
    list_primary = switch("List the keys that are encrypted with.")
    local_only = switch("With -list: ask only the servers of this datacenter.")
    relay_factor = number("Through how many further members each answer is passed, at most 5.")
    remove = text("Remove this key from all members.", placeholder="key")
    use = text("Encrypt with this key from now on.", placeholder="key")

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        changes = [(CHANGES[flag], key) for flag in CHANGES if (key := getattr(self, flag))]
        if len(changes) + self.list_ + self.list_primary != 1:
            raise UsageError("Give exactly one of -list, -list-primary, -install, -use and -remove")
        if not 0 <= self.relay_factor <= 5:
            raise UsageError("The relay factor must be from 0 to 5")
        if self.local_only and changes:
            raise UsageError("-local-only is only for lists")
        if not changes:
            return self._list()
        (method, doing), key = changes[0]
        self.console.line(f"==> {doing} gossip encryption key...")
        self.client.operator.change_keyring(method, key, relay_factor=self.relay_factor)
        return 0

    def _list(self) -> int:
        self.console.line("==> Gathering installed encryption keys...")
        for pool in self.client.operator.keyring(relay_factor=self.relay_factor, local_only=self.local_only):
            name = "WAN" if pool.get("WAN") else f"{pool['Datacenter']} (LAN)"
            segment = f" [{pool['Segment']}]" if pool.get("Segment") else ""
            keys = pool.get("PrimaryKeys" if self.list_primary else "Keys") or {}
            self.console.line(f"\n{name}{segment}:")
            for line in table(
                [(f"  {key}", f"[{count}/{pool['NumNodes']}]") for key, count in sorted(keys.items())], 1
            ):
                self.console.line(line)
        return 0


COMMANDS = (Keyring,)
