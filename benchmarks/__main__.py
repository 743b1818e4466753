"""Measure and print the table: ``python -m benchmarks``, from the root of the checkout. See ``--help``."""

from __future__ import annotations

import argparse
import sys


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: rough figures in two and a half minutes")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rows", default="", help="measure the warm rows whose name contains this")
    parser.add_argument("--sizes", nargs="+", type=int, default=None, help="records per batch of the warm rows")
    parser.add_argument("--seconds", type=float, default=None, help="seconds for each warm cell, default 3, quick 0.5")
    parser.add_argument("--rounds", type=int, default=None, help="cold starts per function, default 40, quick 8")
    return parser.parse_args()


PARTS = ("cold", "warm", "logged", "instructions", "growth", "lanes", "overhead", "stopping", "observers", "memory")


def main() -> int:
    """Measure what was asked for. Gives 0 unless something cannot be measured: a missed budget is told, not failed."""
    options = _options()
    try:
        from benchmarks import run
    except ImportError as error:
        print(
            f"The benchmarks cannot run: {error}. They need aws-lambda-powertools[parser] and awslambdaric.",
            file=sys.stderr,
        )
        return 2
    run.run(
        parts=options.only,
        rows=options.rows,
        sizes=options.sizes,
        seconds=options.seconds or (0.5 if options.quick else 3.0),
        rounds=options.rounds or (8 if options.quick else 40),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
