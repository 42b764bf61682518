"""The verb `prune`: takes away what earlier runs have left of customers' data."""

import json
import sys

from zenni_tui.cli import Options
from zenni_tui.engine import pruning
from zenni_tui.errors import ExitCode


def prune(options: Options) -> int:
    """Tell which snapshots can go, and with --yes delete them."""
    found = [(spare, options.yes and pruning.take(spare)) for spare in pruning.spare()]
    if options.json:
        runs = [{"run_id": s.run_id, "bytes": s.size, "files": s.files, "deleted": gone} for s, gone in found]
        print(json.dumps(runs, ensure_ascii=False))
        return int(ExitCode.PASSED)
    for spare, gone in found:
        print(f"{spare.run_id:40} {spare.size / 1e6:12,.1f} MB  {'deleted' if gone else 'can go'}")
    total = sum(s.size for s, _ in found) / 1e6
    if not found:
        print("Nothing can go: each snapshot is its source's newest, or its run may still need it.", file=sys.stderr)
    elif not options.yes:
        print(f"{total:,.1f} MB in {len(found)} snapshots; to delete them: zenni-tui prune --yes", file=sys.stderr)
    return int(ExitCode.PASSED)
