"""The fourth rung: does the server let us in? libpq asks, since its words tell the causes best."""

import asyncio
import time

from zenni_tui.target import libpq

from .ground import Ground, Rung


async def look(ground: Ground) -> Rung:
    """Log in and out; raises NotReady with the cause."""
    settings = ground.target.parameters
    tried = f"a login as {settings.get('user')} to database {settings.get('dbname')}"
    started = time.monotonic()
    found = await asyncio.to_thread(_enter, ground)
    return Rung(tried, f"{found}, after {(time.monotonic() - started) * 1000:.0f} ms")


def _enter(ground: Ground) -> str:
    with ground.target.connect(pinned=False) as connection:
        info = connection.info
        door = f"{info.host}:{info.port}" if len(libpq.doors(ground.target.parameters)) > 1 else ""
        secret = "with a password" if info.pgconn.used_password else "without a password"
        return f"let in {secret}, {'over TLS' if info.pgconn.ssl_in_use else 'not encrypted'}" + (
            f"; in use of the list: {door}" if door else ""
        )
