"""A TLS context from a client's configuration. Imports `ssl`, so it is imported only when HTTPS is used."""

from __future__ import annotations

import ssl

from lictor.client.config import Tls
from lictor.errors import ConfigError


def context(tls: Tls) -> ssl.SSLContext:
    """The context that `tls` describes. Raises ConfigError naming the file that cannot be used."""
    made = ssl.create_default_context()
    if tls.ca_file or tls.ca_path:
        # Named authorities stand instead of the system's, not beside them.
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            made.load_verify_locations(tls.ca_file or None, tls.ca_path or None)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"CA certificates {tls.ca_file or tls.ca_path}: {error}") from error
    if bool(tls.cert) != bool(tls.key):
        raise ConfigError("a client certificate needs its key and the key its certificate: give both")
    if tls.cert:
        try:
            made.load_cert_chain(tls.cert, tls.key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"client certificate {tls.cert} with key {tls.key}: {error}") from error
    if not tls.verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made
