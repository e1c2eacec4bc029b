"""The commands on the data directory itself: serve, rebuild, verify, tokens; and those that need none at all."""

import argparse
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from adapters.host.tokens import Scope, TokenFile
from adapters.identifiers import is_plain_name
from api.cli.common import TOKEN, Commands, Parser
from api.cli.tables import grid
from api.runtime.settings import load_settings
from domain.errors import InvalidInput, JobRecoveryError

HIGHEST_PORT = 65535

# The commands that run something import it themselves: those that only ask a service start three times faster.


def add_to(commands: Commands) -> None:
    """Add these commands to the command line."""
    command = commands.add_parser("serve", help="run the service")
    command.set_defaults(command=_serve)

    command = commands.add_parser("rebuild", help="rebuild the read model from the event log (service stopped)")
    command.set_defaults(command=_rebuild)

    command = commands.add_parser("verify", help="check the event log against its seals (service running or not)")
    command.add_argument("--expect", metavar="POSITION:HASH", help="a seal that was noted elsewhere")
    command.set_defaults(command=_verify)

    _add_token(commands)

    command = commands.add_parser("simulate-vma", help="run a simulated VMA")
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=_port, default=9081)
    command.add_argument("--control-port", type=_port, default=9082, help="where this machine scripts its world")
    command.add_argument("--world", type=Path, help="JSON file with the jobs of its world")
    command.set_defaults(command=_simulate_vma)

    command = commands.add_parser("demo", help="show a restart, from kill -9 to every job recovered")
    command.add_argument("--fast", action="store_true", help="shorter pauses")
    command.set_defaults(command=_demo)


def _add_token(commands: Commands) -> None:
    token = commands.add_parser("token", help="make, list and revoke tokens (service running or not)")
    actions = token.add_subparsers(required=True, metavar="ACTION", parser_class=Parser)

    action = actions.add_parser("create", help="make a token, which is shown this once")
    action.add_argument("name", help="who it is for: the actor of what is done with it")
    action.add_argument("--scope", type=Scope, choices=list(Scope), required=True, help="each includes the one before")
    action.set_defaults(command=_create_token)

    action = actions.add_parser("list", help="list the tokens' names and scopes")
    action.set_defaults(command=_list_tokens)

    action = actions.add_parser("revoke", help="take a token back; it is refused from the next request on")
    action.add_argument("name")
    action.set_defaults(command=_revoke_token)


def _serve(_: argparse.Namespace) -> None:
    from api.runtime.output import take_over  # noqa: PLC0415

    # Before what takes long to import: a terminal that closes, or is not read, is no reason to end.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    take_over()

    from api.http.server import serve  # noqa: PLC0415
    from api.runtime.logs import configure  # noqa: PLC0415

    settings = load_settings()
    log = configure(settings.log_format, settings.log_level)
    try:
        serve(settings, log)
    except JobRecoveryError:
        raise
    except Exception as fault:
        # Not left to the interpreter, which ends before its traceback is written.
        log.error("service_failed", exc_info=fault)
        raise SystemExit(1) from None


def _rebuild(_: argparse.Namespace) -> None:
    from api.cli.maintenance import rebuild  # noqa: PLC0415

    rebuild(load_settings())


def _verify(arguments: argparse.Namespace) -> None:
    from api.cli.maintenance import verify_log  # noqa: PLC0415

    verify_log(load_settings(), arguments.expect)


def _create_token(arguments: argparse.Namespace) -> None:
    if not is_plain_name(arguments.name):
        raise InvalidInput(f"{arguments.name[:80]!r} cannot be the name of a token: use letters, digits and . _ : -")
    secret = _tokens().create(arguments.name, arguments.scope, datetime.now(UTC))
    print(secret)
    print(f"shown this once; `{TOKEN}` hands it to job-recovery, `Authorization: Bearer` to the API", file=sys.stderr)


def _list_tokens(_: argparse.Namespace) -> None:
    table = grid("name", "scope", "made at (UTC)")
    for token in _tokens().all():
        table.add_row(token.name, token.scope.value, f"{token.created_at:%Y-%m-%d %H:%M:%S}")
    Console().print(table)


def _revoke_token(arguments: argparse.Namespace) -> None:
    _tokens().revoke(arguments.name)
    print(f"revoked {arguments.name}")


def _tokens() -> TokenFile:
    return TokenFile(load_settings().data_dir)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to {HIGHEST_PORT}, not {text[:20]!r}")
    return int(text)


def _simulate_vma(arguments: argparse.Namespace) -> None:
    from adapters.simulated_vma import run  # noqa: PLC0415

    run(arguments.host, arguments.port, arguments.control_port, arguments.world)


def _demo(arguments: argparse.Namespace) -> None:
    from api.demo.demo import run_demo  # noqa: PLC0415

    # Its processes and its data are to be put away.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run_demo(fast=arguments.fast)
