"""Copy and verification through a line of 40 ms round trip and 20 Mbit/s each way.

The payload is what the copy counts as sent; acknowledgements, protocol and checkpoints come on top of it. psql sends
a file rendered beforehand over the same line.
"""

from zenni_tui.model.runbook import StepId
from zenni_tui.sandbox.proxy import Line, Proxy

from . import copy
from .figures import Claim, Figures
from .ground import Ground, Prepared, seconds

_LATENCY, _RATE = 0.020, 20e6 / 8
_LIMIT, _COPY, _VERIFY = "psql's share of the line's rate", "the copy's share", "verification's seconds to the copy's"


def measure(ground: Ground) -> list[Claim]:
    """Alternate psql with a run of ours over the line."""
    prepared = Prepared(ground, ground.bookings(ground.rows))
    rendered = ground.scratch / f"rendered-{ground.rows}.copy"
    copy.render(ground, prepared, rendered)
    figures = Figures("")
    with Proxy(ground.server.port) as proxy:
        proxy.line = Line(latency=_LATENCY, rate=_RATE)
        for _ in range(ground.rounds):
            spent = copy.limit(ground, prepared, rendered, proxy.port)
            figures.add(_LIMIT, rendered.stat().st_size / spent / _RATE)
            _ours(ground, prepared, proxy.port, figures)
    figures.show()
    prepared.remove()
    rendered.unlink()
    best = max(figures.rounds[_COPY])
    return [
        Claim("the copy's share of the line's rate, best round", best, 0.9, more=True),
        Claim("the copy's share to psql's, best rounds", best / max(figures.rounds[_LIMIT]), 0.9, more=True),
        Claim("verification to the copy over the line, best round", min(figures.rounds[_VERIFY]), 1.0),
    ]


def _ours(ground: Ground, prepared: Prepared, port: int, figures: Figures) -> None:
    with ground.database() as database:
        state = prepared.trial(database | {"port": str(port)}).end()
    payload = sum(t.bytes for t in state.tables.values())
    spent, verify = seconds(state, StepId.COPY), seconds(state, StepId.VERIFY)
    print(f"    {payload / 1e6:.1f} MB copied in {spent:.2f} s, verified in {verify:.2f} s")
    figures.add(_COPY, payload / spent / _RATE)
    figures.add(_VERIFY, verify / spent)
