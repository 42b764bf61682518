"""The first rung: the host names, and whether this machine can send to their addresses."""

import asyncio
import socket

from zenni_tui.errors import NotReady
from zenni_tui.target import supabase
from zenni_tui.target.libpq import Door, doors

from .ground import NAME_SECONDS, Address, Ground, Rung, within


async def look(ground: Ground) -> Rung:
    """Resolve every host; one that can be used is enough."""
    listed = [d for d in doors(ground.target.parameters) if not d.local]
    if not listed:
        return Rung("the target's settings", "a local socket: there is no name to resolve")
    told, trouble = [], []
    for door in listed:
        try:
            ground.addresses[door] = await asyncio.to_thread(resolve, door)
            told.append(f"{door.host or door.address} is {', '.join(a.place[0] for a in ground.addresses[door])}")
        except NotReady as error:
            trouble.append(error)
    if not told:
        raise trouble[0]
    missing = [f"{error.where}: {error.what}" for error in trouble]
    tried = f"A and AAAA records of {', '.join(d.host or d.address for d in listed)}"
    return Rung(tried, "; ".join(told + missing), None if missing else True, trouble[0].next_step if trouble else "")


def resolve(door: Door) -> tuple[Address, ...]:
    """Return the addresses of a door that this machine can send to; raises NotReady."""
    name = door.address or door.host
    try:
        found = within(NAME_SECONDS, lambda: socket.getaddrinfo(name, door.port, type=socket.SOCK_STREAM))
    except (TimeoutError, OSError, UnicodeError) as error:
        raise _unresolved(name, error) from error
    addresses = tuple(dict.fromkeys(Address(int(family), place) for family, _, _, _, place in found))
    usable = tuple(a for a in addresses if has_route(a))
    if not usable and all(a.family == socket.AF_INET6 for a in addresses):
        raise only_ipv6(name, addresses)
    return usable or addresses


def has_route(address: Address) -> bool:
    """Return whether this machine knows a way to an address; nothing is sent."""
    try:
        with socket.socket(address.family, socket.SOCK_DGRAM) as probe:
            probe.connect(address.place)
    except OSError:
        return False
    return True


def _unresolved(name: str, error: Exception) -> NotReady:
    unknown = isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME
    why = f"No answer in {NAME_SECONDS:.0f} s." if isinstance(error, TimeoutError) else f"{error}."
    advice = "Check its spelling; a name of the company's own network needs the VPN and its DNS."
    return NotReady(
        "The host name can't be resolved.",
        where=name,
        why=why,
        next_step=advice if unknown else f"See that the network, the VPN and the DNS are up. {advice}",
    )


def only_ipv6(name: str, addresses: tuple[Address, ...]) -> NotReady:
    """Return the error for a host that can be reached by IPv6 only, from a machine that has none."""
    ref = supabase.ref_of_direct_host(name)
    advice = (
        f"Use the session pooler, which has IPv4: {supabase.SESSION_POOLER} with the user postgres.{ref}"
        " (Supabase's dashboard, Connect, Session pooler, names the region); or buy the project's IPv4 add-on."
        if ref
        else "Use a network with IPv6, or ask for a name of the server that has IPv4."
    )
    return NotReady(
        "The host has only an IPv6 address, and this machine has no IPv6 line.",
        where=name,
        why=f"It is {', '.join(a.place[0] for a in addresses)}; there is no route to that from here.",
        next_step=advice,
    )
