"""What went wrong with a question on its way, in words, and whether it could be put to the VMA at all.

A question that could not be put says nothing of the VMA: the settings, the certificate or this machine is the cause.
"""

import errno
import os
import socket
import ssl

import aiohttp

from adapters.vma.address import VMAAddress

DEFAULT_VMA = "default"
"""The VMA that has a setting of its own for its address."""

OURS = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EADDRNOTAVAIL,
        errno.ENETUNREACH,
        errno.ENETDOWN,
        errno.EACCES,
        errno.EPERM,
    }
)
"""The errors of a connection that never left this machine: no file, memory, port, route or permission."""

CONNECTION_LOST = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""The TLS errors that mean no more than that the connection ended, as when a tunnel ends where nobody listens."""


def unknown_vma(vma: str) -> str:
    """Say that a job's VMA is not in the settings."""
    return f"the VMA {vma} is not in the settings: add it to JOB_RECOVERY_VMAS"


def login_refused(vma: str, http_status: int) -> str:
    """Say that the VMA, or what is before it, does not accept the credentials of its address."""
    return f"VMA {vma}: login refused (HTTP {http_status}). Update its address in {_setting(vma)}"


def why_not_put(vma: str, address: VMAAddress, error: BaseException) -> str | None:
    """Say why a question could not be put, and what to do; None if it failed on its way to the VMA."""
    for cause in _causes(error):
        if isinstance(cause, aiohttp.ClientConnectorDNSError | socket.gaierror):
            return f"the name {address.host} of VMA {vma} cannot be resolved: check its address in {_setting(vma)}"
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = cause.verify_message or cause.reason
            return f"the certificate of VMA {vma} is not trusted: {why}. Set JOB_RECOVERY_VMA_CA_FILE"
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, CONNECTION_LOST):
            return f"TLS with VMA {vma} failed: {cause.reason}. Check its address in {_setting(vma)}"
        if isinstance(cause, OSError) and cause.errno in OURS:
            return f"this machine cannot connect to VMA {vma} now: {os.strerror(cause.errno)}"
    return None


def _setting(vma: str) -> str:
    return "JOB_RECOVERY_VMA_URL" if vma == DEFAULT_VMA else "JOB_RECOVERY_VMAS"


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and the errors that led to it, the first of them first: the libraries' own say less."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.insert(0, cause)
        cause = cause.__cause__ or cause.__context__
    return causes
