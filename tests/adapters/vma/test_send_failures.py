"""Which errors mean that a request was never sent, each with what to do about it."""

import errno
import os
import socket
import ssl

import aiohttp
import httpx
import pytest

from adapters.vma.address import VMAAddress
from adapters.vma.send_failures import LOCAL_ERRORS, login_refused, send_failure

ADDRESS = VMAAddress("https://vma.example:9081")


def failure(error: BaseException, vma: str = "dc2") -> str | None:
    return send_failure(vma, ADDRESS, error)


def caused(error: Exception, cause: BaseException, *, explicitly: bool) -> Exception:
    """Return an error that was raised because of, or while handling, another one."""
    try:
        try:
            raise cause
        except type(cause) as first:
            if explicitly:
                raise error from first
            raise error  # noqa: B904 - the implicit cause is what is tested
    except type(error) as found:
        return found


@pytest.mark.parametrize(
    ("vma", "setting"),
    [("default", "JOB_RECOVERY_VMA_URL"), ("dc2", "JOB_RECOVERY_VMAS"), ("vma-2", "JOB_RECOVERY_VMAS")],
)
def test_the_message_names_the_setting_with_the_address(vma: str, setting: str) -> None:
    name = f"the name vma.example of VMA {vma} cannot be resolved: check its address in {setting}"

    assert failure(socket.gaierror(socket.EAI_NONAME, "unknown"), vma) == name
    assert login_refused(vma, 401) == f"VMA {vma}: login refused (HTTP 401). Update its address in {setting}"


@pytest.mark.parametrize("number", sorted(LOCAL_ERRORS))
def test_an_error_of_this_machine_is_named_and_was_not_sent(number: int) -> None:
    assert failure(OSError(number, "x")) == f"this machine cannot connect to VMA dc2 now: {os.strerror(number)}"


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
        ConnectionResetError(errno.ECONNRESET, "reset"),
        TimeoutError(),
        httpx.ReadError("broken"),
        aiohttp.ClientPayloadError("short"),
        ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "ended"),
        ssl.SSLZeroReturnError(ssl.SSL_ERROR_ZERO_RETURN, "ended"),
        ssl.SSLSyscallError(ssl.SSL_ERROR_SYSCALL, "ended"),
    ],
)
def test_an_error_of_the_connection_or_of_the_reply_was_sent(error: Exception) -> None:
    assert failure(error) is None
    assert failure(caused(httpx.ConnectError("failed"), error, explicitly=True)) is None


def test_a_certificate_and_a_tls_error_have_messages_of_their_own() -> None:
    untrusted = ssl.SSLCertVerificationError(1, "[SSL] certificate verify failed")
    untrusted.verify_message = "self-signed certificate"
    no_tls = ssl.SSLError(1, "wrong version")
    no_tls.reason = "WRONG_VERSION_NUMBER"

    assert failure(untrusted) == (
        "the certificate of VMA dc2 is not trusted: self-signed certificate. Set JOB_RECOVERY_VMA_CA_FILE"
    )
    untrusted.verify_message, untrusted.reason = "", "CERTIFICATE_VERIFY_FAILED"
    assert "is not trusted: CERTIFICATE_VERIFY_FAILED." in (failure(untrusted) or "")
    assert failure(no_tls) == ("TLS with VMA dc2 failed: WRONG_VERSION_NUMBER. Check its address in JOB_RECOVERY_VMAS")


@pytest.mark.parametrize("explicitly", [True, False])
def test_the_first_cause_of_an_error_counts_because_it_has_the_most_detail(*, explicitly: bool) -> None:
    no_file = OSError(errno.EMFILE, "too many open files")
    later = OSError(errno.ENETUNREACH, "no route")

    both = caused(later, no_file, explicitly=explicitly)
    all_three = caused(httpx.ConnectError("failed"), both, explicitly=explicitly)

    for error in (both, all_three):
        assert failure(error) == f"this machine cannot connect to VMA dc2 now: {os.strerror(errno.EMFILE)}"


def test_an_error_that_is_its_own_cause_ends() -> None:
    one, other = ConnectionError("one"), ConnectionError("other")
    one.__cause__, other.__cause__ = other, one

    assert failure(one) is None
