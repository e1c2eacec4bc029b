"""The address that the service listens on."""

import socket

from adapters.listening import unusable
from adapters.tokens import Tokens
from api.runtime.access import is_loopback, is_open
from api.runtime.settings import Settings
from domain.errors import InvalidInput

MAX_WAITING = 1024
"""Length of the listen queue."""

MAX_HOST = 100
"""Maximum characters of a host name in a message."""


def check_access(settings: Settings, tokens: Tokens) -> None:
    """Check that whoever can reach the address needs a token, or is on this machine.

    Raises:
        InvalidInput: other machines would be served without tokens, or the host is malformed.
        StorageUnavailable: the tokens cannot be read.
        JobRecoveryError: the host cannot be resolved now.

    """
    tokens.all()
    if not is_local(settings) and is_open(settings.auth, tokens):
        message = (
            f"JOB_RECOVERY_HOST: other machines can reach {settings.host}, and without tokens only this machine is "
            "served: create a token (job-recovery token create NAME --scope read), or set JOB_RECOVERY_AUTH=tokens"
        )
        raise InvalidInput(message)


def is_local(settings: Settings) -> bool:
    """Return whether only this machine can reach the address.

    Raises:
        InvalidInput: the host is malformed.
        JobRecoveryError: the host cannot be resolved now.

    """
    try:
        return is_loopback(settings.host)
    except OSError as error:
        raise unusable(f"JOB_RECOVERY_HOST: {settings.host[:MAX_HOST]}", error) from None
    except ValueError as error:
        # A host name with a label that is too long raises UnicodeError, which is a ValueError.
        raise InvalidInput(f"JOB_RECOVERY_HOST: {settings.host[:MAX_HOST]}: {error}") from None


def bind(settings: Settings) -> socket.socket:
    """Return a socket that listens on the address.

    Raises:
        InvalidInput: this user may not listen there.
        JobRecoveryError: the address is in use, or is not one of this machine now.

    """
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=MAX_WAITING)
    except OSError as error:
        what = f"JOB_RECOVERY_HOST, JOB_RECOVERY_PORT: cannot listen at {settings.address()}"
        raise unusable(what, error) from None
    # Connections inherit it. asyncio sets it only on sockets with an explicit protocol number. Without it, a response
    # of two packets waits 40 ms until the first is acknowledged.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
