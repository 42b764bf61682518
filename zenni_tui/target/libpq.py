"""Where the target is and how to get in, as libpq understands it; both drivers and the checks take it from here."""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import conninfo, pq

from zenni_tui.errors import UsageError
from zenni_tui.model.record import Record

ALIVE = {
    "connect_timeout": "10",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""A dead line is noticed within about ten seconds; keepalives alone don't notice one during COPY."""

PLAIN = {"sslmode": "disable", "target_session_attrs": "any"}
"""For a server of our own on this machine, whatever the environment asks of others."""

_ALWAYS = frozenset({"host", "port", "user", "dbname", "password"})
_NEVER = frozenset({"service", "sslcompression", "sslcertmode", "gssencmode"})
_FILES = frozenset({"sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", "passfile"})
_NOT_FILES = frozenset({"system"})
_TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslnegotiation", "target_session_attrs")
_TLS_BOUNDS = ("ssl_min_protocol_version", "ssl_max_protocol_version")
_HALT = {"gssencmode": "none of libpq's"}
"""A value that libpq refuses after it has merged all sources of settings, and before it looks at the network."""
_OTHERS = frozenset(("mysql", "mariadb", "mongodb", "sqlite", "file", "sqlserver", "mssql", "redis", "http", "https"))
_SECRET = b"*"
_DEBUG = b"D"
_PORT = "5432"


class Door(Record, frozen=True):
    """One place to knock at; `host` is a name, an address, or the folder of a Unix socket; `address` overrides it."""

    host: str
    port: int
    address: str = ""

    @property
    def local(self) -> bool:
        """Return whether it is a Unix socket."""
        return self.host.startswith(("/", "@")) or not (self.host or self.address)

    def __str__(self) -> str:
        name = self.host or self.address or "local socket"
        return f"[{name}]:{self.port}" if ":" in name else f"{name}:{self.port}"


def resolve(given: Mapping[str, str]) -> dict[str, str]:
    """Return all of libpq's settings: those given, else of the service file, else of PG* variables, else its defaults.

    libpq itself merges them (https://www.postgresql.org/docs/current/libpq-connect.html) and nothing is connected to.
    What is left at libpq's built-in value is left out, but for host, port, user and database; files become absolute; a
    time to connect without end is not taken over.
    The password is among them, if there is one. Raises UsageError for what libpq or we can't take.
    """
    link = pq.PGconn.connect_start(conninfo.make_conninfo("", **{**given, **_HALT}).encode())
    try:
        complaint = link.error_message.decode(errors="replace").strip()
        found = {o.keyword.decode(): o for o in link.info if o.val}
    finally:
        link.finish()
    if not complaint.startswith("invalid gssencmode"):
        raise unusable(complaint)
    secret = next((k for k, o in found.items() if o.dispchar in (_SECRET, _DEBUG) and k not in _ALWAYS), None)
    if secret is not None and found[secret].dispchar == _SECRET:
        raise UsageError(f"{secret} can't be given for the target.", next_step="Use a key file without a passphrase.")
    if _whole(found.get("connect_timeout")) <= 0:
        found.pop("connect_timeout", None)
    return {
        keyword: _absolute(keyword, (option.val or b"").decode())
        for keyword, option in found.items()
        if keyword in _ALWAYS or (keyword not in _NEVER and keyword != secret and option.val != option.compiled)
    }


def password(settings: Mapping[str, str]) -> str:
    """Return the password that libpq would give, also one of a password file, without asking the server; or nothing.

    Of several places it is the first one's.
    """
    link = pq.PGconn.connect_start(conninfo.make_conninfo("", **{**settings, **_HALT}).encode())
    try:
        return (link.password or b"").decode()
    finally:
        link.finish()


def _whole(option: pq.misc.ConninfoOption | None) -> int:
    text = (option.val or b"").strip() if option else b""
    return int(text) if text.isdigit() else 0


def unusable(why: str) -> UsageError:
    """Return the error for a target that libpq can't make sense of."""
    return UsageError(
        "The target is not a PostgreSQL connection URL.",
        why=why,
        next_step="Write it as postgresql://user@host:5432/database",
    )


def _absolute(keyword: str, value: str) -> str:
    # The engine works in another folder than the one the setting was written in.
    return str(Path(value).absolute()) if keyword in _FILES and value not in _NOT_FILES else value


def doors(settings: Mapping[str, str]) -> tuple[Door, ...]:
    """Return the places to try, in order."""
    hosts = settings.get("host", "").split(",")
    addresses = settings.get("hostaddr", "").split(",")
    count = max(len(hosts), len(addresses))
    ports = (settings.get("port") or _PORT).split(",")
    ports = ports * count if len(ports) == 1 else ports
    hosts, addresses = _filled(hosts, count), _filled(addresses, count)
    return tuple(Door(h, int(p or _PORT), a) for h, p, a in zip(hosts, ports, addresses, strict=True))


def _filled(values: list[str], count: int) -> list[str]:
    return values + [""] * (count - len(values))


def starting_at(settings: Mapping[str, str], first: Door | None) -> dict[str, str]:
    """Return the settings with one door before all others; unchanged when it isn't among them."""
    known = doors(settings)
    if first is None or len(known) == 1 or first not in known:
        return dict(settings)
    order = (first, *(d for d in known if d != first))
    listed = {"host": ",".join(d.host for d in order), "port": ",".join(str(d.port) for d in order)}
    addresses = {"hostaddr": ",".join(d.address for d in order)} if settings.get("hostaddr") else {}
    return {**settings, **listed, **addresses}


def for_asyncpg(settings: Mapping[str, str]) -> dict[str, Any]:
    """Return the same settings as arguments of `asyncpg.connect`; it takes what concerns TLS from a URL only."""
    known = doors(settings)
    query = {k: settings[k] for k in (*_TLS, *_TLS_BOUNDS) if settings.get(k)}
    arguments: dict[str, Any] = {
        "host": [d.host or d.address for d in known] if any(d.host or d.address for d in known) else None,
        "port": [d.port for d in known] if len(known) > 1 else known[0].port,
        "user": settings.get("user"),
        "password": settings.get("password"),
        "passfile": settings.get("passfile"),
        "database": settings.get("dbname"),
        "server_settings": {"application_name": settings["application_name"]} if "application_name" in settings else {},
    }
    if query.get("sslrootcert") == "system":
        del query["sslrootcert"]
        arguments["ssl"] = ssl.create_default_context()
    return {"dsn": f"postgresql:///?{urlencode(query)}", **arguments}


def patience(settings: Mapping[str, str]) -> float:
    """Return how many seconds one attempt to connect may take."""
    return float(settings.get("connect_timeout") or ALIVE["connect_timeout"])


def label(settings: Mapping[str, str]) -> str:
    """Return `user@host:port/database` for people; several places are listed in their order."""
    places = ",".join(str(d) for d in doors(settings))
    return f"{settings.get('user', '')}@{places}/{settings.get('dbname', '')}"


def parse(url: str) -> dict[str, str]:
    """Return a connection URL or string as libpq parameters, nothing added; raises UsageError without repeating it."""
    try:
        return {k: str(v) for k, v in conninfo.conninfo_to_dict(url).items()}
    except (psycopg.ProgrammingError, UnicodeError) as error:
        raise unusable(_complaint(url, str(error))) from None


def _complaint(url: str, said: str) -> str:
    # libpq quotes what it can't read, and that may be all of it, password included.
    kind = url.strip().partition("://")[0].lower()
    if kind in _OTHERS:
        return f"{kind}:// is another kind of server."
    told = said.replace("“", '"').partition('"')[0].strip()
    if told == "missing":
        return "It is neither a URL nor words of the form key=value."
    return f"libpq says: {told} (not shown: a password may be in it)." if told.endswith(":") else told


def root_certificate(settings: Mapping[str, str]) -> str:
    """Return the file of the authority to trust: as named, else libpq's own place when there is one, else nothing."""
    named = settings.get("sslrootcert", "")
    usual = Path(os.path.expanduser("~/.postgresql/root.crt"))  # noqa: PTH111 - must not fail where there is no home
    return named or (str(usual) if usual.exists() else "")


def url(settings: Mapping[str, str]) -> str:
    """Return the settings as a connection URL, the password in it: for an application's settings, never to be shown."""
    door = doors(settings)[0]
    user, secret = (quote(settings.get(k, ""), safe="") for k in ("user", "password"))
    host = door.host or door.address
    place = f"[{host}]" if ":" in host else quote(host, safe="")
    tls = urlencode({k: settings[k] for k in ("sslmode", "sslrootcert") if settings.get(k)})
    who = f"{user}:{secret}@" if secret else f"{user}@"
    return (
        f"postgresql://{who}{place}:{door.port}/{quote(settings.get('dbname', ''), safe='')}{'?' if tls else ''}{tls}"
    )
