"""`lictor kv`: read and write the key-value store."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from lictor.cli.command import Console, Failure, ListCommand, ServerCommand, UsageError
from lictor.cli.flags import switch, text, unsigned
from lictor.cli.table import table

if TYPE_CHECKING:
    from lictor.client.shapes import Pair


def _key(arguments: list[str], *, optional: bool) -> str:
    """The key of a command that takes one. Keys never begin with a slash, but people write them so."""
    if len(arguments) > 1:
        raise UsageError(f"Error! Too many arguments (expected 1, got {len(arguments)})")
    key = arguments[0].removeprefix("/") if arguments else ""
    if not key and not optional:
        raise UsageError("Error! Missing KEY argument")
    return key


def _text(value: bytes) -> str:
    # Bytes that are no text are printed as they are.
    return value.decode("utf-8", "surrogateescape")


class Get(ServerCommand, ListCommand):
    """Prints the value of a key, or what is below a prefix.

    The value of one key:

        $ lictor kv get redis/config/connections

    Everything that begins with a prefix, with its metadata:

        $ lictor kv get -recurse -detailed redis/

    Only the keys, down to the next slash:

        $ lictor kv get -keys redis/
    """

    words = "kv get"
    synopsis = "Print keys and values"
    arguments = "[KEY_OR_PREFIX]"
    base64 = switch("Print values in base64.")
    detailed = switch("Print the key's metadata too.")
    keys = switch("Print the keys that begin with the prefix, and not their values.")
    recurse = switch("Print everything that begins with the prefix.")
    separator = text("With -keys: go no further than to this text after the prefix.", "/")

    def run(self, arguments: list[str]) -> int:
        key = _key(arguments, optional=self.keys or self.recurse)
        if self.keys:
            return self._list_keys(key)
        if self.recurse:
            self._print(self.client.kv.list(key).value, with_keys=True)
            return 0
        pair = self.client.kv.get(key).value
        if pair is None:
            raise Failure(f"Error! No key exists at: {key}")
        self._print([pair], with_keys=False)
        return 0

    def _list_keys(self, prefix: str) -> int:
        keys = self.client.kv.keys(prefix, separator=self.separator).value
        if self.as_json:
            self.console.json(keys)
        else:
            for key in keys:
                self.console.line(key)
        return 0

    def _print(self, pairs: list[Pair], *, with_keys: bool) -> None:
        if self.as_json:
            self.console.json([_api_form(pair) for pair in pairs])
            return
        for number, pair in enumerate(pairs):
            value = b64encode(pair.value).decode() if self.base64 else _text(pair.value)
            if not self.detailed:
                self.console.line(f"{pair.key}:{value}" if with_keys else value)
                continue
            if number:
                self.console.line()
            _print_details(self.console, pair, value)


def _print_details(console: Console, pair: Pair, value: str) -> None:
    rows = [
        ("CreateIndex", str(pair.create_index)),
        ("Flags", str(pair.flags)),
        ("Key", pair.key),
        ("LockIndex", str(pair.lock_index)),
        ("ModifyIndex", str(pair.modify_index)),
        ("Session", pair.session or "-"),
    ]
    for line in table(rows, gap=6):
        console.line(line)
    # Not through the table, which would trim the value.
    console.line("Value" + " " * 12 + value)


def _api_form(pair: Pair) -> dict[str, object]:
    return {
        "LockIndex": pair.lock_index,
        "Key": pair.key,
        "Flags": pair.flags,
        "Value": b64encode(pair.value).decode(),
        "Session": pair.session,
        "CreateIndex": pair.create_index,
        "ModifyIndex": pair.modify_index,
    }


class Put(ServerCommand):
    """Writes a value to a key, nothing where DATA is left out.

        $ lictor kv put redis/config/connections 5

    From a file, or from standard input:

        $ lictor kv put webapp/config @config.json
        $ generate | lictor kv put webapp/config -

    Only if nobody wrote to it since its ModifyIndex was 123 (0: only if it is new):

        $ lictor kv put -cas -modify-index=123 redis/config/connections 10
    """

    words = "kv put"
    synopsis = "Write a key"
    arguments = "KEY [DATA]"
    acquire = switch("Take the key's lock for the session that -session names.")
    base64 = switch("The data is base64: write what it stands for.")
    cas = switch("Write only if the key still has the index that -modify-index says.")
    flags = unsigned("A number of your own to keep with the key.")
    modify_index = unsigned("The ModifyIndex for -cas.")
    release = switch("Leave the key's lock that the session of -session holds.")
    session = text("The session for -acquire and -release.")

    def run(self, arguments: list[str]) -> int:
        if not arguments:
            raise UsageError("Error! Missing KEY argument")
        if len(arguments) > 2:
            raise UsageError(f"Error! Too many arguments (expected 1 or 2, got {len(arguments)})")
        if (self.acquire or self.release) and not self.session:
            raise UsageError("Error! Missing -session (required with -acquire and -release)")
        key, value = arguments[0], self._value(arguments[1] if len(arguments) == 2 else "")
        if key.startswith("/"):
            raise UsageError(f"Error! A key must not begin with a slash: {key}")
        done = self.client.kv.put(
            key,
            value,
            flags=self.flags,
            cas=self.modify_index if self.cas else None,
            acquire=self.session if self.acquire else "",
            release=self.session if self.release else "",
        )
        if self.cas:
            failed, success = f"Did not write to {key}: CAS failed", f"Data written to: {key}"
        elif self.acquire:
            failed, success = f"Did not acquire lock on {key}: another session holds it", f"Lock acquired on: {key}"
        elif self.release:
            failed, success = f"Did not release lock on {key}: the session does not hold it", f"Lock released on: {key}"
        else:
            failed, success = f"Did not write to {key}", f"Data written to: {key}"
        if not done:
            raise Failure("Error! " + failed)
        self.console.line("Success! " + success)
        return 0

    def _value(self, argument: str) -> bytes:
        data = self.console.data(argument)
        if not self.base64:
            return data
        try:
            return b64decode(data, validate=True)
        except ValueError as error:
            raise Failure(f"Error! Cannot base 64 decode data: {error}") from error


class Delete(ServerCommand):
    """Removes a key, or all that begin with a prefix. A key that is not there is no error.

        $ lictor kv delete redis/config/connections
        $ lictor kv delete -recurse redis/

    Mind the slash at the end of a prefix: without it, `redis` takes `redis-cache` along.
    """

    words = "kv delete"
    synopsis = "Remove keys"
    arguments = "KEY_OR_PREFIX"
    cas = switch("Remove it only if it still has the index that -modify-index says.")
    modify_index = unsigned("The ModifyIndex for -cas.")
    recurse = switch("Remove everything that begins with the prefix.")

    def run(self, arguments: list[str]) -> int:
        key = _key(arguments, optional=self.recurse)
        if self.cas and self.recurse:
            raise UsageError("Cannot specify both -cas and -recurse!")
        if self.cas and not self.modify_index:
            raise UsageError("Must specify -modify-index with -cas!")
        if self.modify_index and not self.cas:
            raise UsageError("Cannot specify -modify-index without -cas!")
        done = self.client.kv.delete(key, recurse=self.recurse, cas=self.modify_index if self.cas else None)
        if not done:
            raise Failure(f"Error! Did not delete key {key}: CAS failed")
        what = "keys with prefix" if self.recurse else "key"
        self.console.line(f"Success! Deleted {what}: {key}")
        return 0


class Export(ServerCommand):
    """Prints everything that begins with a prefix as JSON, for `lictor kv import`.

    $ lictor kv export vault/ > vault.json
    """

    words = "kv export"
    synopsis = "Print keys and values as JSON"
    arguments = "[PREFIX]"

    def run(self, arguments: list[str]) -> int:
        pairs = self.client.kv.list(_key(arguments, optional=True)).value
        entries = [{"key": p.key, "flags": p.flags, "value": b64encode(p.value).decode()} for p in pairs]
        self.console.json(entries, indent="\t")
        return 0


class Import(ServerCommand):
    """Writes what `lictor kv export` printed.

    $ lictor kv import @vault.json
    $ lictor kv export | lictor kv import -http-addr=other:8500 -prefix=copy/ -
    """

    words = "kv import"
    synopsis = "Write keys and values from JSON"
    arguments = "DATA"
    prefix = text("Write everything below this prefix.")

    def run(self, arguments: list[str]) -> int:
        data = self.console.data(self.one(arguments, "DATA"))
        try:
            entries = [
                (str(e["key"]), int(e.get("flags", 0)), b64decode(e.get("value") or "")) for e in json.loads(data)
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            why = "an entry has no key" if isinstance(error, KeyError) else error
            raise Failure(f"Error! Cannot unmarshal data: {why}; what `kv export` prints is expected") from error
        prefix = self.prefix.rstrip("/") + "/" if self.prefix else ""
        for key, flags, value in entries:
            if not self.client.kv.put(prefix + key, value, flags=flags):
                raise Failure(f"Error! Did not write to {prefix + key}")
            self.console.line(f"Imported: {prefix}{key}")
        return 0


COMMANDS = (Get, Put, Delete, Export, Import)
GROUPS = {"kv": "Read and write the key-value store"}
