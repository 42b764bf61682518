"""Benchmarks: our work against its limit or its peer in one go, printed as ratios; never timed tests."""

import sys
from pathlib import Path

# Where pytest's `pythonpath` finds what tests share.
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "acceptance")]
