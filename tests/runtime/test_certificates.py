from __future__ import annotations

import ipaddress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from lictor.errors import ConfigError
from lictor.runtime import certificates as c

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
YEAR = c.Lifetime(NOW, 365)


def authority(*domains: str) -> c.Authority:
    key = c.new_key()
    return c.Authority(c.new_authority(c.Names(common="CA"), YEAR, 7, key, domains), key)


def test_an_authority_signs_and_what_it_signed_says_whose_it_is() -> None:
    issuer, key = authority(), c.new_key()
    names = c.Names(
        common="a.b", dns=("a.b", "localhost"), addresses=(ipaddress.ip_address("::1"),), uris=("spiffe://x",)
    )
    made = c.new_certificate(issuer, names, YEAR, 9, key.public_key(), tls=True)
    assert c.signed_by(made, issuer.certificate) and not c.signed_by(made, authority().certificate)
    assert c.dns_names(made) == ["a.b", "localhost"]
    assert made.serial_number == 9 and made.not_valid_before_utc == NOW - c.BACKDATED
    assert (made.not_valid_after_utc - NOW).days == 365
    assert c.is_authority(issuer.certificate) and not c.is_authority(made)
    own = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert made.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == own


def test_an_authority_comes_back_from_its_files() -> None:
    made = authority()
    pem, secret = c.certificate_pem(made.certificate), c.key_pem(c.read_key(c.key_pem(made.key)))  # type: ignore[arg-type]
    assert b"BEGIN EC PRIVATE KEY" in secret
    assert c.authority(pem, secret).certificate == made.certificate
    with pytest.raises(ConfigError, match="the key is not this authority's"):
        c.authority(pem, c.key_pem(c.new_key()))
    key = c.new_key()
    leaf = c.new_certificate(made, c.Names(common="x"), YEAR, 1, key.public_key(), tls=False)
    with pytest.raises(ConfigError, match="may not sign others"):
        c.authority(c.certificate_pem(leaf), c.key_pem(key))


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_authorities_with_other_kinds_of_keys_sign_too(kind: str) -> None:
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ed25519.Ed25519PrivateKey.generate()
    ec_made = authority().certificate
    builder = (
        x509.CertificateBuilder(ec_made.issuer, ec_made.subject, key.public_key(), 1, NOW, ec_made.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(True, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    from cryptography.hazmat.primitives import hashes

    own = builder.sign(key, hashes.SHA256() if kind == "rsa" else None)  # type: ignore[arg-type]
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    issuer = c.authority(c.certificate_pem(own), secret)
    made = c.new_certificate(issuer, c.Names(common="x", dns=("x",)), YEAR, 2, c.new_key().public_key(), tls=True)
    assert c.signed_by(made, own)


def test_name_constraints_are_kept() -> None:
    issuer, key = authority("consul", "localhost"), c.new_key().public_key()
    good = c.Names(common="x", dns=("server.dc1.Consul", "localhost"))
    assert c.new_certificate(issuer, good, YEAR, 1, key, tls=True)
    with pytest.raises(ConfigError, match=r"do not permit notconsul, example\.com"):
        c.new_certificate(issuer, c.Names(common="x", dns=("notconsul", "example.com")), YEAR, 1, key, tls=True)


@pytest.mark.parametrize("names", [c.Names(common="x" * 65), c.Names(common=""), c.Names(common="x", dns=("ü",))])
def test_names_that_fit_no_certificate_are_refused(names: c.Names) -> None:
    with pytest.raises(ConfigError, match="no certificate can hold that"):
        c.new_certificate(authority(), names, YEAR, 1, c.new_key().public_key(), tls=True)


def test_files_that_hold_something_else_are_refused() -> None:
    with pytest.raises(ConfigError, match="no certificate in PEM"):
        c.read_certificates(b"nonsense")
    with pytest.raises(ConfigError, match="no private key in PEM"):
        c.read_key(b"nonsense")
    encrypted = c.new_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    with pytest.raises(ConfigError, match="encrypted"):
        c.read_key(encrypted)
