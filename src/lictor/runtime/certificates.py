"""X.509 certificates: an authority, what it signs, keys, and what a file says of itself.

Elliptic curve keys (P-256) throughout, as the reference makes them. Pure: serial numbers and times come in through
parameters, PEM goes in and out as bytes. Reads and writes no files and knows no names of the system's parts. It imports
`cryptography`, which costs a start tens of milliseconds, so it is itself imported only where certificates are used.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lictor.errors import ConfigError

SERIAL_BITS = 128
"""How long a random serial number is."""
BACKDATED = timedelta(minutes=1)
"""How much earlier than now a certificate begins to be valid: clocks differ."""
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
"""Keys that can sign."""


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What a certificate is valid for. `dns` names are ASCII (IDNA where they were not)."""

    common: str
    dns: Sequence[str] = ()
    addresses: Sequence[ipaddress.IPv4Address | ipaddress.IPv6Address] = ()
    uris: Sequence[str] = ()


class Lifetime(msgspec.Struct, frozen=True):
    """From now (aware) on, for whole days."""

    now: datetime
    days: int


class Authority(msgspec.Struct, frozen=True):
    """A certificate that signs others, and its key."""

    certificate: x509.Certificate
    key: PrivateKey


def new_key() -> ec.EllipticCurvePrivateKey:
    """A new P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key without encryption, in the form ("EC PRIVATE KEY") that the reference writes and reads."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """The certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def read_key(pem: bytes) -> PrivateKey:
    """A signing key from PEM. Raises ConfigError saying what it is instead."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        raise ConfigError("the key is encrypted") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"no private key in PEM: {error}") from None
    if not isinstance(key, PrivateKey):
        raise ConfigError(f"a key of a kind that signs no certificates ({type(key).__name__})")
    return key


def read_certificates(pem: bytes) -> list[x509.Certificate]:
    """All certificates of a PEM text, the first one first. Raises ConfigError when there is none."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise ConfigError(f"no certificate in PEM: {error}") from None


def authority(certificate_pem: bytes, key_pem: bytes) -> Authority:
    """An authority from its two files' contents. Raises ConfigError when they do not fit or it may not sign."""
    certificate, key = read_certificates(certificate_pem)[0], read_key(key_pem)
    if certificate.public_key() != key.public_key():
        raise ConfigError("the key is not this authority's")
    if not is_authority(certificate):
        raise ConfigError("the certificate is no authority's: it may not sign others")
    return Authority(certificate, key)


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether a certificate may sign others."""
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def new_authority(
    names: Names, lifetime: Lifetime, serial: int, key: ec.EllipticCurvePrivateKey, domains: Sequence[str] = ()
) -> x509.Certificate:
    """An authority's certificate, signed by itself. With `domains` it is good for names in these alone."""
    builder = (
        _builder(names, lifetime, serial, key.public_key())
        .issuer_name(_name(names.common))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    if domains:
        permitted = x509.NameConstraints([x509.DNSName(domain) for domain in domains], None)
        builder = builder.add_extension(permitted, critical=True)
    return builder.sign(key, hashes.SHA256())


def new_certificate(
    issuer: Authority,
    names: Names,
    lifetime: Lifetime,
    serial: int,
    public_key: ec.EllipticCurvePublicKey,
    *,
    tls: bool,
) -> x509.Certificate:
    """A certificate signed by `issuer`; with `tls` for both ends of a TLS connection, else for no stated purpose.

    Raises ConfigError naming the DNS names that the authority may not sign for.
    """
    if refused := outside(issuer.certificate, names.dns):
        raise ConfigError(f"the authority's name constraints do not permit {', '.join(refused)}")
    builder = (
        _builder(names, lifetime, serial, public_key)
        .issuer_name(issuer.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(_issuer_id(issuer.certificate), critical=False)
    )
    if tls:
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(both), critical=False)
    plain = isinstance(issuer.key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey))
    return builder.sign(issuer.key, None if plain else hashes.SHA256())


def outside(issuer: x509.Certificate, names: Sequence[str]) -> list[str]:
    """Those of the DNS names that the authority's name constraints do not permit."""
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return []
    permitted = [row.value.lower().lstrip(".") for row in constraints.permitted_subtrees or () if _is_dns(row)]
    excluded = [row.value.lower().lstrip(".") for row in constraints.excluded_subtrees or () if _is_dns(row)]
    return [
        name
        for name in names
        if (permitted and not any(_within(name, domain) for domain in permitted))
        or any(_within(name, domain) for domain in excluded)
    ]


def dns_names(certificate: x509.Certificate) -> list[str]:
    """The DNS names that a certificate is valid for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return found.get_values_for_type(x509.DNSName)


def signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key made the certificate's signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _builder(
    names: Names, lifetime: Lifetime, serial: int, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    """What every certificate has. Raises ConfigError for a name that cannot stand in one."""
    try:
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names.dns]
        alternatives += [x509.IPAddress(address) for address in names.addresses]
        alternatives += [x509.UniformResourceIdentifier(uri) for uri in names.uris]
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(names.common))
            .public_key(public_key)
            .serial_number(serial)
            .not_valid_before(lifetime.now - BACKDATED)
            .not_valid_after(lifetime.now + timedelta(days=lifetime.days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        )
    except ValueError as error:
        raise ConfigError(f"no certificate can hold that: {error}") from None
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _issuer_id(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """How a certificate points at its authority's key: by the authority's own identifier, whatever that is made of."""
    try:
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        key = issuer.public_key()
        if not isinstance(key, (ec.EllipticCurvePublicKey, rsa.RSAPublicKey)):
            raise ConfigError("the authority's certificate has no key identifier") from None
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _is_dns(name: x509.GeneralName) -> bool:
    return isinstance(name, x509.DNSName)


def _within(name: str, domain: str) -> bool:
    name = name.lower()
    return not domain or name == domain or name.endswith("." + domain)
