"""The certificate authorities that may issue a VMA's certificate."""

import os
import ssl
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import httpx

from domain.errors import InvalidInput, JobRecoveryError


def trusted_by(addresses: Iterable[str], ca_file: Path | None) -> ssl.SSLContext:
    """Return the TLS context for requests to these addresses, as `authorities` does.

    If none is encrypted it trusts nobody: loading the authorities would take a thirtieth of the CPU of a start.
    """
    if ca_file is not None or any(address.startswith("https:") for address in addresses):
        return authorities(ca_file)
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def authorities(ca_file: Path | None) -> ssl.SSLContext:
    """Return a TLS context that trusts the public authorities, the system's, and those in `ca_file` (PEM).

    `SSL_CERT_FILE` or `SSL_CERT_DIR` replace the public ones, as everywhere.

    Raises:
        InvalidInput: a file cannot be read or has no certificate.
        JobRecoveryError: a file is missing, as before its disk is mounted.

    """
    return _authorities(ca_file, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _authorities(ca_file: Path | None, cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:
    """Return the context, which is made once per process because it is slow."""
    try:
        context = httpx.create_ssl_context()
    except OSError as error:
        raise _unusable("SSL_CERT_FILE", cert_file, error) from None
    if not (cert_file or cert_dir):
        context.load_default_certs()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:
            raise _unusable("JOB_RECOVERY_VMA_CA_FILE", ca_file, error) from None
    return context


def _unusable(setting: str, file: object, error: OSError) -> JobRecoveryError:
    why = "it has no certificate in PEM form" if isinstance(error, ssl.SSLError) else error.strerror
    kind = JobRecoveryError if isinstance(error, FileNotFoundError) else InvalidInput
    return kind(f"{setting}: {file} cannot be used: {why}")
