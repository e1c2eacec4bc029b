"""Tells requests that could not be sent from those that failed at the VMA.

A request that could not be sent tells nothing about the VMA. Its cause is the settings, the certificate or this
machine.
"""

import errno
import os
import socket
import ssl

import aiohttp

from adapters.vma.address import VMAAddress
from adapters.vma.causes import causes_of

DEFAULT_VMA = "default"
"""The VMA whose address has a setting of its own."""

LOCAL_ERRORS = frozenset(
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
"""Errors of a connection that never left this machine: no file, memory, port, route or permission."""

CONNECTION_LOST = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""TLS errors that only mean that the connection ended, such as in a tunnel without a listener behind it."""


def unknown_vma(vma: str) -> str:
    """Return the message that a job's VMA is not in the settings."""
    return f"the VMA {vma} is not in the settings: add it to JOB_RECOVERY_VMAS"


def login_refused(vma: str, http_status: int) -> str:
    """Return the message that the VMA, or a proxy before it, does not accept the credentials of its address."""
    return f"VMA {vma}: login refused (HTTP {http_status}). Update its address in {_setting(vma)}"


def send_failure(vma: str, address: VMAAddress, error: BaseException) -> str | None:
    """Return why a request could not be sent, and what to do; None if it was sent and failed."""
    for cause in causes_of(error):
        if isinstance(cause, aiohttp.ClientConnectorDNSError | socket.gaierror):
            return f"the name {address.host} of VMA {vma} cannot be resolved: check its address in {_setting(vma)}"
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = cause.verify_message or cause.reason
            return f"the certificate of VMA {vma} is not trusted: {why}. Set JOB_RECOVERY_VMA_CA_FILE"
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, CONNECTION_LOST):
            return f"TLS with VMA {vma} failed: {cause.reason}. Check its address in {_setting(vma)}"
        if isinstance(cause, OSError) and cause.errno in LOCAL_ERRORS:
            return f"this machine cannot connect to VMA {vma} now: {os.strerror(cause.errno)}"
    return None


def _setting(vma: str) -> str:
    return "JOB_RECOVERY_VMA_URL" if vma == DEFAULT_VMA else "JOB_RECOVERY_VMAS"
