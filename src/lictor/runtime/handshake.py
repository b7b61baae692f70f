"""Why TLS with a peer failed, in words for the person who has to mend it. Pure."""

from __future__ import annotations

import ssl

_NO_CERTIFICATE = "it demands a client certificate that it accepts, and got none"
_WORDS = {
    # what we found
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it showed no certificate",
    "HTTP_REQUEST": "it spoke plain HTTP to a port for TLS",
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
    "RECORD_LAYER_FAILURE": "it does not speak TLS",
    "UNSUPPORTED_PROTOCOL": "no TLS version is allowed on both sides (tls_min_version)",
    "NO_SHARED_CIPHER": "no cipher suite is allowed on both sides (tls_cipher_suites)",
    # what the peer told us
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _NO_CERTIFICATE,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": _NO_CERTIFICATE,
    "TLSV1_ALERT_UNKNOWN_CA": "it does not know the authority that signed our certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not accept our certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not accept our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "our certificate has expired, it says",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "our certificate is not meant for this, it says",
    "TLSV1_ALERT_PROTOCOL_VERSION": "no TLS version is allowed on both sides (tls_min_version)",
}


def explained(error: BaseException) -> str:
    """What went wrong; about TLS if the error, or one that it was raised from, is TLS's."""
    cause: BaseException | None = error
    while cause is not None:
        # aiohttp's errors are of these classes without having what these have: their cause has it.
        message, reason = getattr(cause, "verify_message", ""), getattr(cause, "reason", "")
        if isinstance(cause, ssl.SSLCertVerificationError) and message:
            return f"its certificate is not accepted: {message.rstrip('.')}"
        if isinstance(cause, ssl.SSLError) and reason:
            return _WORDS.get(reason, f"TLS failed: {reason.lower().replace('_', ' ')}")
        cause = cause.__cause__
    return str(error) or type(error).__name__
