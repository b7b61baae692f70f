"""`tls_cipher_suites`: the reference's names for cipher suites and OpenSSL's. A table and its reader; pure.

They say what TLS 1.2 may use. TLS 1.3 has its own few suites, which are not for choosing, here as in the reference.
"""

from __future__ import annotations

from lictor.errors import ConfigError

_SUITES = {
    f"TLS_{go}_{kind}": f"{prefix}{openssl}"
    for go, prefix in (
        ("ECDHE_ECDSA_WITH", "ECDHE-ECDSA-"),
        ("ECDHE_RSA_WITH", "ECDHE-RSA-"),
        ("RSA_WITH", ""),
    )
    for kind, openssl in (
        ("AES_128_GCM_SHA256", "AES128-GCM-SHA256"),
        ("AES_256_GCM_SHA384", "AES256-GCM-SHA384"),
        ("AES_128_CBC_SHA256", "AES128-SHA256"),
        ("AES_128_CBC_SHA", "AES128-SHA"),
        ("AES_256_CBC_SHA", "AES256-SHA"),
        ("CHACHA20_POLY1305", "CHACHA20-POLY1305"),
        ("CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305"),
    )
    if not (go == "RSA_WITH" and kind.startswith("CHACHA20"))
}


def openssl_ciphers(names: str) -> str:
    """OpenSSL's list for the reference's, which is separated by commas; empty for an empty one.

    Raises ConfigError naming the suite that is unknown.
    """
    found = []
    for name in filter(None, (part.strip() for part in names.split(","))):
        if name not in _SUITES:
            raise ConfigError(f'tls_cipher_suites: unsupported cipher suite "{name}"')
        found.append(_SUITES[name])
    return ":".join(dict.fromkeys(found))
