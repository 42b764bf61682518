"""The third rung: TLS as PostgreSQL offers it, looked at by Python's ssl, since libpq can't tell what is wrong with it.

A client asks with SSLRequest and the server answers with one byte
(https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL); with
sslnegotiation=direct it just begins.
"""

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple

from zenni_tui.errors import NotReady
from zenni_tui.target import libpq
from zenni_tui.target.libpq import Door

from .ground import TCP_SECONDS, Address, Ground, Rung

_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
_STRICT = ("verify-ca", "verify-full")
_NEEDS_TLS = ("require", *_STRICT)
_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python's ssl has no name for."""
_EXPIRED, _NOT_YET, _SELF_SIGNED, _WRONG_NAME, _WRONG_ADDRESS = 10, 9, 18, 62, 64
"""X509_V_ERR_* (https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/)."""
_SOON_DAYS = 30

_OTHER_NAME = (
    "The server's certificate is for another name.",
    "It is {known}; the target's URL says {host}.",
    "Connect by a name that it bears; behind a tunnel give that name as host and the tunnel's end as hostaddr.",
)
_STRANGE = (
    "The server's certificate comes from another authority.",
    "It is {known}; {root} does not vouch for that issuer ({openssl}).",
    "Give the right authority's file as sslrootcert (Supabase: Database settings, SSL configuration).",
)
_MEANINGS = {
    _EXPIRED: (
        "The server's certificate has expired.",
        "It was valid until {known.ends:%Y-%m-%d %H:%M} UTC.",
        "Renew it on the server; see that this machine's clock is right.",
    ),
    _NOT_YET: (
        "The server's certificate is not valid yet.",
        "It is valid from {known.begins:%Y-%m-%d %H:%M} UTC.",
        "See that this machine's clock is right.",
    ),
    _SELF_SIGNED: (
        "The server's certificate is signed by itself.",
        "It is {known}; {root} does not vouch for it.",
        "Give the certificate itself as sslrootcert, once you know that it is the server's.",
    ),
    _WRONG_NAME: _OTHER_NAME,
    _WRONG_ADDRESS: _OTHER_NAME,
}


class Certificate(NamedTuple):
    """A server's certificate: whose it is, who vouches for it, its names, and when it ends."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    begins: dt.datetime
    ends: dt.datetime

    def __str__(self) -> str:
        return f"for {', '.join(self.names) or self.subject}, issued by {self.issuer}, valid until {self.ends:%Y-%m-%d}"


class Seen(NamedTuple):
    """One look at a server: TLS version, cipher and certificate; `trouble` is OpenSSL's verdict, if any."""

    version: str
    cipher: str
    certificate: Certificate
    trouble: ssl.SSLCertVerificationError | None


async def look(ground: Ground) -> Rung:
    """Shake hands with the door that answered, and judge its certificate by the sslmode that was asked for."""
    settings = ground.target.parameters
    mode = settings.get("sslmode", "prefer")
    door = next(iter(ground.open), None) or next((d for d in libpq.doors(settings) if not d.local), None)
    if door is None or mode == "disable":
        return Rung("nothing", "a local socket needs no TLS" if door is None else "not asked for: sslmode=disable")
    address = ground.open.get(door) or (await _address(ground, door))
    seen = await asyncio.to_thread(_see, settings, door, address)
    tried = f"a TLS handshake with {address}, sslmode={mode}"
    if seen is None:
        return _without(mode, door, address, tried)
    if mode in _STRICT or libpq.root_certificate(settings):
        _judge(seen, door, libpq.root_certificate(settings))
    return _found(seen, settings, mode, tried)


async def _address(ground: Ground, door: Door) -> Address:
    from .tcp import knock  # noqa: PLC0415 - for this rung alone, when those before were not climbed

    return (await asyncio.to_thread(knock, ground, door))[0]


def _without(mode: str, door: Door, address: Address, tried: str) -> Rung:
    if mode in _NEEDS_TLS:
        raise NotReady(
            "The server offers no TLS.",
            where=str(door),
            why=f"sslmode={mode} asks for it.",
            next_step="Switch TLS on in the server (ssl = on), or use sslmode=prefer if the line is trusted.",
        )
    near = ipaddress.ip_address(str(address.place[0]).partition("%")[0]).is_loopback
    advice = "" if near else "Passwords and data cross the network in the clear: switch TLS on if that isn't a tunnel."
    return Rung(tried, "the server offers no TLS; the line is not encrypted", True if near else None, advice)


def _found(seen: Seen, settings: Mapping[str, str], mode: str, tried: str) -> Rung:
    text = f"{seen.version}, {seen.cipher}; certificate {seen.certificate}"
    if not libpq.root_certificate(settings):
        advice = "Use sslmode=verify-full with sslrootcert, so that nobody can stand in for the server."
        return Rung(tried, f"{text}; encrypted, but nobody checked who the server is", None, advice)
    days = (seen.certificate.ends - dt.datetime.now(dt.UTC)).days
    if days < _SOON_DAYS:
        return Rung(tried, f"{text}: {days} days left", None, "Renew the server's certificate before migration day.")
    return Rung(tried, f"{text}; {'authority and name' if mode == 'verify-full' else 'authority'} checked")


def _judge(seen: Seen, door: Door, root: str) -> None:
    if seen.trouble is None:
        return
    known, code = seen.certificate, seen.trouble.verify_code
    what, why, advice = _MEANINGS.get(code, _STRANGE)
    told = why.format(known=known, root=root, host=door.host or door.address, openssl=seen.trouble.verify_message)
    raise NotReady(what, where=str(door), why=told, next_step=advice)


def _see(settings: Mapping[str, str], door: Door, address: Address) -> Seen | None:
    """Look three times: unverified for the certificate's bytes, pinned to them for its words, then verified."""
    bare = _context(settings)
    first = _shake(settings, door, address, bare)
    if first is None:
        return None
    version, cipher, raw, _ = first
    pinned = _context(settings)
    pinned.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(raw))
    pinned.verify_mode = ssl.CERT_REQUIRED
    pinned.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
    again = _shake(settings, door, address, pinned)
    words = again[3] if again else {}
    return Seen(version, cipher, _certificate(words), _verdict(settings, door, address))


def _verdict(settings: Mapping[str, str], door: Door, address: Address) -> ssl.SSLCertVerificationError | None:
    root = libpq.root_certificate(settings)
    if not root:
        return None
    strict = _context(settings)
    if root == "system":
        strict.load_default_certs()
    else:
        try:
            strict.load_verify_locations(cafile=root)
        except OSError as error:
            raise NotReady(
                "The authority's certificate to check the server with can't be read.",
                where=root,
                why=error.strerror or str(error),
                next_step="Give the authority's PEM file as sslrootcert.",
            ) from error
    strict.check_hostname = settings.get("sslmode") == "verify-full"
    strict.verify_mode = ssl.CERT_REQUIRED
    # libpq takes any certificate of the file for trusted, not only roots that sign themselves.
    strict.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        _shake(settings, door, address, strict)
    except ssl.SSLCertVerificationError as error:
        return error
    return None


def _context(settings: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if settings.get("sslcert"):
        try:
            context.load_cert_chain(settings["sslcert"], settings.get("sslkey"))
        except OSError as error:
            raise NotReady(
                "The certificate or key to log in with can't be read.",
                where=settings["sslcert"],
                why=error.strerror or str(error),
                next_step="Correct sslcert and sslkey in the target's URL.",
            ) from error
    if settings.get("sslnegotiation") == "direct":
        context.set_alpn_protocols(["postgresql"])
    return context


def _shake(
    settings: Mapping[str, str], door: Door, address: Address, context: ssl.SSLContext
) -> tuple[str, str, bytes, dict[str, Any]] | None:
    """Return TLS version, cipher, certificate's bytes and, when it was verified, words; None when there is no TLS."""
    try:
        with socket.socket(address.family, socket.SOCK_STREAM) as link:
            link.settimeout(TCP_SECONDS)
            link.connect(address.place)
            if settings.get("sslnegotiation") != "direct" and not _granted(link, door):
                return None
            with context.wrap_socket(link, server_hostname=door.host or door.address) as safe:
                cipher = safe.cipher()
                raw = safe.getpeercert(binary_form=True) or b""
                return safe.version() or "", cipher[0] if cipher else "", raw, dict(safe.getpeercert() or {})
    except ssl.SSLCertVerificationError:
        raise
    except (OSError, ValueError) as error:
        raise NotReady(
            "The TLS handshake failed.",
            where=str(door),
            why=str(error) or f"No answer in {TCP_SECONDS:.0f} s.",
            next_step="See that PostgreSQL listens there and that no proxy between breaks TLS; ours needs TLS 1.2.",
        ) from error


def _granted(link: socket.socket, door: Door) -> bool:
    try:
        link.sendall(_SSL_REQUEST)
        answer = link.recv(1)
    except ConnectionError:
        answer = b""
    if answer in (b"S", b"N"):
        return answer == b"S"
    raise NotReady(
        "What listens there is no PostgreSQL." if answer else "The connection is taken and closed again.",
        where=str(door),
        why="It answers PostgreSQL's request for TLS with neither yes nor no.",
        next_step="Check host and port: PostgreSQL's is 5432; a proxy or tunnel there may have lost its far end.",
    )


def _certificate(words: Mapping[str, Any]) -> Certificate:
    def common(field: str) -> str:
        return next((v for part in words.get(field, ()) for k, v in part if k == "commonName"), "nobody named")

    def moment(field: str) -> dt.datetime:
        return dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(words[field]), dt.UTC)

    names = tuple(str(value) for _, value in words.get("subjectAltName", ()))
    return Certificate(common("subject"), common("issuer"), names, moment("notBefore"), moment("notAfter"))
