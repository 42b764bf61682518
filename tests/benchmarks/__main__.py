"""`python -m tests.benchmarks NAME`: measures, prints, and with --check ends with 1 above a target."""

import argparse
import importlib
import os
import secrets
import tempfile
from pathlib import Path

from zenni_tui.sandbox import server as sandbox

from .figures import Claim, machine
from .ground import Ground

NAMES = (
    "copy",
    "verify",
    "whole",
    "memory",
    "tables",
    "screen",
    "keys",
    "far",
    "startup",
    "capture",
    "switch",
    "watch",
)


def main() -> int:
    """Run the named benchmarks."""
    options = _options()
    scratch = Path(options.scratch).absolute()
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="state-") as state:
        os.environ["XDG_STATE_HOME"] = state
        name = f"benchmarks-{secrets.token_hex(4)}"
        with sandbox.start(name) as server:
            ground = Ground(scratch, server, options.rows, options.rounds, options.large)
            missed = [c for benchmark in options.names for c in _measure(benchmark, ground) if not c.met]
        sandbox.remove(name)
    return 1 if missed and options.check else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="+", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--rows", type=int, default=200_000, help="bookings (default 200000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of alternation (default 3)")
    parser.add_argument(
        "--large", action="store_true", help="the largest sizes as well: 10,000,000 rows, 100 MB values"
    )
    parser.add_argument(
        "--scratch", default=str(Path(tempfile.gettempdir()) / f"zenni-benchmarks-{os.geteuid()}"), metavar="DIR"
    )
    parser.add_argument("--check", action="store_true", help="end with 1 when a target is missed")
    return parser.parse_args()


def _measure(name: str, ground: Ground) -> list[Claim]:
    module = importlib.import_module(f".{name}", __package__)
    print(f"{name}: {(module.__doc__ or '').splitlines()[0]}\n  {machine()}", flush=True)
    claims: list[Claim] = module.measure(ground)
    for claim in claims:
        print(claim, flush=True)
    return claims


raise SystemExit(main())
