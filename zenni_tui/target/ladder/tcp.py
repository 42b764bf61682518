"""The second rung: whether something listens there. Refused, filtered and a VPN that is down are told apart."""

import asyncio
import errno
import ipaddress
import socket
import time

import psutil

from zenni_tui.errors import NotReady
from zenni_tui.target.libpq import Door, doors

from .ground import TCP_SECONDS, Address, Ground, Rung
from .name import resolve

_TUNNELS = ("tun", "tap", "wg", "ppp", "utun", "ipsec", "tailscale", "nordlynx", "cscotun", "gpd")
_NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL}


async def look(ground: Ground) -> Rung:
    """Open a TCP connection to each host; one that answers is enough."""
    listed = [d for d in doors(ground.target.parameters) if not d.local]
    if not listed:
        return Rung("the target's settings", "a local socket: no network is between")
    told, trouble = [], []
    for door in listed:
        try:
            address, seconds = await asyncio.to_thread(knock, ground, door)
            ground.open[door] = address
            told.append(f"{address} answers after {seconds * 1000:.0f} ms")
        except NotReady as error:
            trouble.append(error)
    if not told:
        raise trouble[0]
    dead = [f"{error.where}: {error.what}" for error in trouble]
    tried = f"a TCP connection to {', '.join(map(str, listed))}, at most {TCP_SECONDS:.0f} s each"
    return Rung(tried, "; ".join(told + dead), None if dead else True, trouble[0].next_step if trouble else "")


def knock(ground: Ground, door: Door) -> tuple[Address, float]:
    """Return the first address of a door that answers, and after how many seconds; raises NotReady."""
    addresses = ground.addresses.get(door) or resolve(door)
    ground.addresses[door] = addresses
    trouble: OSError | None = None
    for address in addresses:
        started = time.monotonic()
        try:
            with socket.socket(address.family, socket.SOCK_STREAM) as link:
                link.settimeout(TCP_SECONDS)
                link.connect(address.place)
                return address, time.monotonic() - started
        except OSError as error:
            trouble = trouble or error
    assert trouble is not None  # noqa: S101 - a name that resolves has an address
    raise judge(door, addresses[0], trouble) from trouble


def judge(door: Door, address: Address, error: OSError) -> NotReady:
    """Return what a failed connection to an address means."""
    if isinstance(error, ConnectionRefusedError):
        return NotReady(
            "Nothing listens at that address and port.",
            where=str(door),
            why=f"{address} refused the connection at once: the machine is there, the server isn't.",
            next_step="Check the port (PostgreSQL's is 5432) and that the server runs and listens to other machines"
            f" (listen_addresses), by {'IPv6' if address.family == socket.AF_INET6 else 'IPv4'} too.",
        )
    if error.errno in _NO_ROUTE:
        return NotReady(
            "There is no way to that address.",
            where=str(door),
            why=f"{address}: {error.strerror}. {_ways_out(address)}",
            next_step="Bring the network or the VPN up, then check again.",
        )
    if not isinstance(error, TimeoutError):
        return NotReady(
            "The connection was cut off.",
            where=str(door),
            why=f"{address}: {error.strerror or error}.",
            next_step="Look for a firewall or proxy between here and there.",
        )
    return _silence(door, address)


def _silence(door: Door, address: Address) -> NotReady:
    private = ipaddress.ip_address(str(address.place[0]).partition("%")[0]).is_private
    if private and not tunnels():
        return NotReady(
            "The address does not answer, and no VPN is up.",
            where=str(door),
            why=f"{address} is an address of a private network; nothing came back in {TCP_SECONDS:.0f} s."
            f" {_ways_out(address)}",
            next_step="Start the VPN, then check again.",
        )
    return NotReady(
        "The address does not answer.",
        where=str(door),
        why=f"{address} sent nothing back in {TCP_SECONDS:.0f} s, not even a refusal: a firewall drops what we send."
        f" {_ways_out(address)}",
        next_step="Let this machine's address into the server's firewall (Supabase: Network Restrictions),"
        " or use the VPN that leads there.",
    )


def tunnels() -> list[str]:
    """Return the VPN interfaces of this machine that are up, by their usual names."""
    return sorted(name for name, now in psutil.net_if_stats().items() if now.isup and name.startswith(_TUNNELS))


def _ways_out(address: Address) -> str:
    up = f"VPN interfaces up: {', '.join(tunnels()) or 'none'}."
    try:
        with socket.socket(address.family, socket.SOCK_DGRAM) as probe:
            probe.connect(address.place)
            ours = probe.getsockname()[0]
    except OSError:
        return up
    names = [n for n, known in psutil.net_if_addrs().items() if any(a.address == ours for a in known)]
    return f"What we send leaves by {names[0] if names else ours}. {up}"
