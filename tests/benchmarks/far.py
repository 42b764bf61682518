"""Copy and verification through a line of 40 ms round trip and 20 Mbit/s each way.

The payload is what the copy counts as sent; acknowledgements, protocol and checkpoints come on top of it.
"""

from faults.proxy import Line, Proxy

from zenni_tui.model.runbook import StepId

from .figures import Claim, Figures
from .ground import Ground, Prepared, seconds

_LATENCY, _RATE = 0.020, 20e6 / 8
_SHARE, _VERIFY = "copy: share of the line's rate", "verify: its seconds to the copy's"


def measure(ground: Ground) -> list[Claim]:
    """Copy and verify over the line several times."""
    prepared = Prepared(ground, ground.bookings(ground.rows))
    figures = Figures("")
    with Proxy(ground.server.port) as proxy:
        proxy.line = Line(latency=_LATENCY, rate=_RATE)
        for _ in range(ground.rounds):
            with ground.database() as database:
                state = prepared.trial(database | {"port": str(proxy.port)}).end()
            payload = sum(t.bytes for t in state.tables.values())
            copy, verify = seconds(state, StepId.COPY), seconds(state, StepId.VERIFY)
            print(f"    {payload / 1e6:.1f} MB in {copy:.2f} s, verified in {verify:.2f} s")
            figures.add(_SHARE, payload / copy / _RATE)
            figures.add(_VERIFY, verify / copy)
    figures.show()
    prepared.remove()
    return [
        Claim("share of the line's rate, best round", max(figures.rounds[_SHARE]), 0.9, more=True),
        Claim("verification to the copy over the line, best round", min(figures.rounds[_VERIFY]), 1.0),
    ]
