"""`lictor watch`: act on changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lictor.cli.children import exit_text, program
from lictor.cli.command import Failure, ServerCommand, UsageError
from lictor.cli.flags import switch, text, texts

if TYPE_CHECKING:
    from lictor.client.request import Answer, Request


class Watch(ServerCommand):
    """Watches something in the cluster and runs a program each time it changes, with what is there now as JSON on its
    standard input and the index in CONSUL_INDEX. Without a program the state is printed once.

        $ lictor watch -type=key -key=app/config
        $ lictor watch -type=service -service=web -passingonly=true './render && nginx -s reload'
        $ lictor watch -type=keyprefix -prefix=app/ -shell=false /usr/bin/notify --quiet

    The types are key, keyprefix, services, nodes, service, checks, event, connect_roots, connect_leaf (with -service)
    and agent_service (with -service as its id). It ends with 1 when the program fails.
    """

    words = "watch"
    synopsis = "Watch for changes and act on them"
    arguments = "[PROGRAM...]"
    child_words = True
    filter = text("Only what this expression matches. For services, nodes and checks.")
    http_handler = text("Send the JSON to this URL instead of to a program.", placeholder="url")
    key = text("The key. For type key.")
    name = text("The event's name. For type event.")
    passingonly = text("true: only healthy instances. For type service.", placeholder="bool")
    prefix = text("The prefix of the keys. For type keyprefix.")
    service = text("The service. For types service, checks and connect_leaf.")
    shell = switch("Run the program in a shell.", True)
    state = text("Only checks in this state. For type checks.")
    tag = texts("Only instances with this tag. For type service. May be repeated.")
    type = text("What to watch. Required.")

    def run(self, arguments: list[str]) -> int:
        from lictor.client.watches import watch
        from lictor.errors import ConfigError

        if arguments and self.http_handler:
            raise UsageError("Give either a program or -http-handler, not both")
        try:
            request = watch(self._parameters())
        except ConfigError as error:
            raise UsageError(str(error)) from error
        try:
            return self._follow(request, arguments)
        except KeyboardInterrupt:
            return 0

    def _follow(self, request: Request[Answer[Any]], words: list[str]) -> int:
        from lictor.client.watches import new_events

        # So that an agent that is not there, or a token that is none, is told at once and not tried again.
        self.client.agent.self()
        seen = 0
        for answer in self.client.watch(request, on_failure=self._warn):
            value = new_events(answer.value, seen) if self.type == "event" and seen else answer.value
            seen = answer.index
            if self.http_handler:
                self._post(value, answer.index)
            elif words:
                self._run(words, value, answer.index)
            else:
                self.console.json(value)
                break
        return 0

    def _parameters(self) -> dict[str, Any]:
        if self.passingonly not in ("", "true", "false"):
            raise UsageError("-passingonly must be true or false")
        service = "service_id" if self.type == "agent_service" else "service"
        return {
            "type": self.type,
            "filter": self.filter,
            "key": self.key,
            "name": self.name,
            "passingonly": self.passingonly,
            "prefix": self.prefix,
            service: self.service,
            "state": self.state,
            "tag": list(self.tag),
        }

    def _warn(self, error: Exception) -> None:
        self.console.complain(f"Watch errored, trying again: {error}")

    def _run(self, words: list[str], value: Any, index: int) -> None:
        import subprocess

        env = {**self.console.env, "CONSUL_INDEX": str(index)}
        body = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        try:
            done = subprocess.run(program(words, env, shell=self.shell), input=body, env=env, check=False)
        except OSError as error:
            raise Failure(f"Error starting handler: {error}") from error
        if done.returncode:
            raise Failure(f"Error executing handler: {exit_text(done.returncode)}")

    def _post(self, value: Any, index: int) -> None:
        from urllib.error import URLError
        from urllib.request import Request, urlopen

        body = json.dumps(value, separators=(",", ":")).encode()
        fields = {"Content-Type": "application/json", "X-Consul-Index": str(index)}
        try:
            with urlopen(Request(self.http_handler, body, fields), timeout=10):
                pass
        except (URLError, OSError, ValueError) as error:
            raise Failure(f"Error sending to {self.http_handler}: {error}") from error


COMMANDS = (Watch,)
