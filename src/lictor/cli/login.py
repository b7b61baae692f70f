"""`lictor login` and `logout`: tokens from an auth method."""

from __future__ import annotations

import os

from lictor.cli.command import Failure, HttpCommand, UsageError
from lictor.cli.console import read_file
from lictor.cli.flags import pairs, text


class Login(HttpCommand):
    """Exchanges a credential for a token of the cluster and writes that to a file.

    $ lictor login -method=kubernetes -bearer-token-file=/var/run/secrets/token -token-sink-file=token
    """

    words = "login"
    synopsis = "Get a token from an auth method"
    bearer_token_file = text("The file that holds the credential.")
    meta = pairs("Metadata for the token. May be repeated.")
    method = text("The auth method's name.")
    token_sink_file = text("The file to write the token to.")

    def run(self, arguments: list[str]) -> int:
        if arguments:
            raise UsageError("Should have no non-flag arguments.")
        if not self.method:
            raise UsageError("Missing required '-method' flag")
        if not self.token_sink_file:
            raise UsageError("Missing required '-token-sink-file' flag")
        if not self.bearer_token_file:
            raise UsageError("Missing required '-bearer-token-file' flag")
        credential = read_file(self.bearer_token_file).decode(errors="replace").strip()
        if not credential:
            raise Failure(f"No bearer token found in {self.bearer_token_file}")
        token = self.client.acl.login(self.method, credential, self.meta)
        self._write(str(token["SecretID"]))
        return 0

    def _write(self, secret: str) -> None:
        """Writes beside the file and renames, so that readers never see half a token; only the owner may read it."""
        beside = f"{self.token_sink_file}.tmp"
        try:
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(secret)
            os.replace(beside, self.token_sink_file)
        except OSError as error:
            raise Failure(f"Error writing token to {self.token_sink_file}: {error.strerror or error}") from error


class Logout(HttpCommand):
    """Destroys the token that -token or the environment names, if `login` made it.

    $ lictor logout -token-file=token
    """

    words = "logout"
    synopsis = "Destroy a token that login gave"

    def run(self, arguments: list[str]) -> int:
        if arguments:
            raise UsageError("Should have no non-flag arguments.")
        self.client.acl.logout()
        return 0


COMMANDS = (Login, Logout)
