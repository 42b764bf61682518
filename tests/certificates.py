"""Makes an authority and server certificates for tests: sound ones, and each kind of unsound one."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write both as PEM files and return their places; the key is its owner's alone."""
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        key.touch(0o600)
        plain = serialization.NoEncryption()
        key.write_bytes(self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
        return certificate, key


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _made(subject: str, names: tuple[str, ...], signer: Pair | None, first: dt.timedelta, last: dt.timedelta) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(signer.certificate.subject if signer else _name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + first)
        .not_valid_after(now + last)
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        known = [_san(n) for n in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(known), critical=False)
    return Pair(builder.sign(signer.key if signer else key, hashes.SHA256()), key)


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def authority(subject: str = "Test Authority") -> Pair:
    """Return an authority of its own."""
    return _made(subject, (), None, -DAY, 3650 * DAY)


def issued(signer: Pair | None, *names: str, first: dt.timedelta = -DAY, last: dt.timedelta = 365 * DAY) -> Pair:
    """Return a server's certificate for these names and addresses; signed by itself without a signer."""
    return _made(names[0], names, signer, first, last)
