"""The command ``batchcore``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from batchcore_local.errors import LocalError
from batchcore_local.orders import FEWEST

DEMO_FUNCTION = "examples/orders/app.py:lambda_handler"
"""The function of the demo, seen from a checkout of batchcore."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the words after the command's name; None for those of this process.

    Returns:
        The exit code: 0 when all is well, 1 when something was lost, does not load, cannot be read or would change,
        2 for wrong use.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except LocalError as error:
        print(f"batchcore: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="batchcore",
        description="An event source mapping on your own machine, and what moves programs to batchcore.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    demo = commands.add_parser("demo", help="run a function against a real queue and close the books")
    demo.add_argument("--app", default=DEMO_FUNCTION, metavar="FILE:NAME", help="the function (default: %(default)s)")
    demo.add_argument("--orders", type=_order_count, default=30, metavar="N", help="how many to send (default: 30)")
    demo.add_argument("--break", dest="broken", choices=["response"], help="hide the failures from the response")
    demo.add_argument("--ledger", type=_new_file, metavar="FILE", help="keep the function's ledger here")
    demo.add_argument("--verbose", action="store_true", help="show what the function logs")
    demo.set_defaults(run=_demo)

    migrate = commands.add_parser("migrate", help="change programs of another batch utility to batchcore")
    migrate.add_argument("path", type=Path, metavar="PATH", help="a file or a folder")
    migrate.add_argument(
        "--from",
        dest="origin",
        choices=["powertools", "fastsqs"],
        default="powertools",
        help="what the programs are written for (default: %(default)s)",
    )
    how = migrate.add_mutually_exclusive_group()
    how.add_argument("--write", action="store_true", help="write the files; without it, a diff is shown")
    how.add_argument("--check", action="store_true", help="exit with 1 if a file would change or is left to you")
    migrate.set_defaults(run=_migrate)

    plugins = commands.add_parser("plugins", help="list what is installed, and what of it does not load")
    plugins.set_defaults(run=_plugins)
    return parser


def _order_count(text: str) -> int:
    count = int(text)
    if count < FEWEST:
        raise argparse.ArgumentTypeError(f"at least {FEWEST}, so that some fail once and some always")
    return count


def _new_file(text: str) -> Path:
    path = Path(text)
    if path.exists():
        raise argparse.ArgumentTypeError(f"{text} exists; an old ledger would count as this run's work")
    return path


def _demo(options: argparse.Namespace) -> int:
    from batchcore_local.demo import run_demo  # boto3 and moto take a second to import; the list needs neither

    logging.getLogger().addHandler(logging.StreamHandler() if options.verbose else logging.NullHandler())
    return run_demo(
        options.app,
        orders=options.orders,
        break_response=options.broken == "response",
        ledger=options.ledger,
        say=lambda line: print(line, flush=True),
    )


def _migrate(options: argparse.Namespace) -> int:
    from batchcore_local.migrate.driver import migrate
    from batchcore_local.migrate.origins import ORIGINS

    return migrate(
        options.path,
        ORIGINS[options.origin],
        write=options.write,
        check=options.check,
        say=lambda line: print(line, file=sys.stderr, flush=True),
        show=_show,
    )


def _show(diff: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(diff)  # in the encodings of its files, so that it can be applied
    sys.stdout.buffer.flush()


def _plugins(_: argparse.Namespace) -> int:
    from batchcore_local.installed import GROUPS, list_installed, list_unreadable

    broken = False
    for title, group in GROUPS.items():
        print(f"{title} ({group})")
        found = list_installed(group)
        for item in found:
            broken = broken or item.trouble is not None
            print(f"  {item.name:<12} {item.package:<28} {item.target}")
            if item.trouble is not None:
                print(f"  {'':<12} {item.trouble}")
        if not found:
            print("  none")
    unreadable = list_unreadable()
    for sentence in unreadable:
        print(sentence)
    broken = broken or bool(unreadable)
    return 1 if broken else 0
