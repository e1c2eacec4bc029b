"""Why a program cannot listen on an address, and what to do.

What passes by itself, such as an address in use, is not invalid input: it ends with another exit code, after which a
service manager tries again.
"""

import errno
import socket

from domain.errors import InvalidInput, JobRecoveryError

REMEDIES = {
    errno.EADDRINUSE: "Stop the program that uses it, which `ss -ltnp` names, or set another port",
    errno.EADDRNOTAVAIL: "Bring this address up, or set one of this machine",
    errno.EACCES: "Set a port above 1023, or permit this user to listen on it",
}
NAME_REMEDY = "Check that the name is right, and that this machine can resolve it"


def unusable(what: str, error: OSError) -> JobRecoveryError:
    """Return the error to raise, with the remedy. It is `InvalidInput` if this user may not listen there."""
    if isinstance(error, socket.gaierror):
        return JobRecoveryError(f"{what}: {error.strerror}. {NAME_REMEDY}")
    kind = InvalidInput if error.errno == errno.EACCES else JobRecoveryError
    # In brackets, the library repeats the address.
    why = (error.strerror or str(error)).partition(" (")[0]
    return kind(f"{what}: {why}. {REMEDIES.get(error.errno or 0, 'Correct this, and start again')}")
