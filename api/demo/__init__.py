"""The demonstration: jobs, a kill -9, a restart, and what recovery makes of each. It uses the command line's client."""

from api.cli.arguments import Commands


def add_to(commands: Commands) -> None:
    """Add the demonstration to the command line."""
    command = commands.add_parser("demo", help="show a restart, from kill -9 to every job recovered")
    command.add_argument("--fast", action="store_true", help="shorter pauses")
    command.set_defaults(function="api.demo.demo.demo")
