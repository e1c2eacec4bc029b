"""The address that the service listens on.

What passes by itself, such as an address in use, is not invalid input: it ends with another exit code, after which a
service manager tries again.
"""

import errno
import socket

from adapters.host.tokens import TokenFile
from api.runtime.access import is_loopback, is_open
from api.runtime.settings import Settings
from domain.errors import InvalidInput, JobRecoveryError

MAX_WAITING = 1024
"""Length of the listen queue."""

MAX_HOST = 100
"""Maximum characters of a host name in a message."""

REMEDIES = {
    errno.EADDRINUSE: "Stop the program that uses it, which `ss -ltnp` names, or set another port",
    errno.EADDRNOTAVAIL: "Bring this address up, or set one of this machine",
    errno.EACCES: "Set a port above 1023, or permit this user to listen on it",
}
NAME_REMEDY = "Check that the name is right, and that this machine can resolve it"


def check_access(settings: Settings) -> None:
    """Check that whoever can reach the address needs a token, or is on this machine.

    Raises:
        InvalidInput: other machines would be served without tokens, or the host is malformed.
        StorageUnavailable: the tokens cannot be read.
        JobRecoveryError: the host cannot be resolved now.

    """
    tokens = TokenFile(settings.data_dir)
    tokens.all()
    try:
        local = is_loopback(settings.host)
    except OSError as error:
        raise _unusable(f"JOB_RECOVERY_HOST: {settings.host[:MAX_HOST]}", error) from None
    except ValueError as error:
        # A host name with a label that is too long raises UnicodeError, which is a ValueError.
        raise InvalidInput(f"JOB_RECOVERY_HOST: {settings.host[:MAX_HOST]}: {error}") from None
    if not local and is_open(settings.auth, tokens):
        message = (
            f"JOB_RECOVERY_HOST: other machines can reach {settings.host}, and without tokens only this machine is "
            "served: create a token (job-recovery token create NAME --scope read), or set JOB_RECOVERY_AUTH=tokens"
        )
        raise InvalidInput(message)


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
        raise _unusable(what, error) from None
    # Connections inherit it. asyncio sets it only on sockets with an explicit protocol number. Without it, a response
    # of two packets waits 40 ms until the first is acknowledged.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _unusable(what: str, error: OSError) -> JobRecoveryError:
    if isinstance(error, socket.gaierror):
        return JobRecoveryError(f"{what}: {error.strerror}. {NAME_REMEDY}")
    kind = InvalidInput if error.errno == errno.EACCES else JobRecoveryError
    # In brackets, the library repeats the address.
    why = (error.strerror or str(error)).partition(" (")[0]
    return kind(f"{what}: {why}. {REMEDIES.get(error.errno or 0, 'Correct this, and start again')}")
