"""A VMA whose TLS certificate is not trusted is not asked, and affects no job."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from adapters.host.clock import SystemClock
from adapters.vma.client import HttpVMA
from adapters.vma.trust import authorities
from api.runtime.settings import Settings
from domain.errors import InvalidInput, JobRecoveryError
from domain.ports import ProbeTarget
from domain.vma_status import VMAStatus
from tests.support.probing import asking, last_status, probe

DOCUMENT = b'{"job_id":"migration-vol-disk-1","status":"in_progress","percentage":41.0}'
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(DOCUMENT) + DOCUMENT


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    """Return a certificate authority that is trusted only through its file."""
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return file


def signed(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    """Return a TLS context with a certificate of this authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(*names).configure_cert(context)
    return context


@asynccontextmanager
async def serving(context: ssl.SSLContext | None) -> AsyncIterator[str]:
    """Run a VMA with a running job, with or without TLS; yields its https address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(1024)
            writer.write(REPLY)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"


async def test_a_vma_with_a_private_authority_is_not_asked_and_the_message_names_the_setting(ca: trustme.CA) -> None:
    async with serving(signed(ca, "localhost")) as url, asking({"dc2": url}) as client:
        seen = await probe(client, ProbeTarget("job-1", "dc2", ("disk-1",)))

        assert {answer.status for answer in seen.answers} == {VMAStatus.NOT_ASKED}
        assert "the certificate of VMA dc2 is not trusted: unable to get local issuer certificate" in seen.summary()
        assert "Set JOB_RECOVERY_VMA_CA_FILE" in seen.summary()
        assert client.circuits["dc2"].state == "half-open"


async def test_a_vma_with_a_private_authority_is_trusted_with_its_file(ca: trustme.CA, ca_file: Path) -> None:
    async with serving(signed(ca, "localhost")) as url, asking(url, ca_file=ca_file) as client:
        assert (await probe(client)).status is VMAStatus.RUNNING


async def test_ssl_cert_file_is_honoured(ca: trustme.CA, ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))

    async with serving(signed(ca, "localhost")) as url, asking(url) as client:
        assert (await probe(client)).status is VMAStatus.RUNNING


async def test_a_certificate_for_another_name_is_not_trusted_even_of_a_trusted_authority(
    ca: trustme.CA, ca_file: Path
) -> None:
    async with serving(signed(ca, "elsewhere.example")) as url, asking(url, ca_file=ca_file) as client:
        seen = await probe(client)

    assert last_status(seen) is VMAStatus.NOT_ASKED
    assert "the certificate of VMA default is not trusted: Hostname mismatch" in seen.summary()


async def test_a_vma_without_tls_is_not_asked_over_https() -> None:
    async with serving(None) as url, asking(url) as client:
        seen = await probe(client)

    assert last_status(seen) is VMAStatus.NOT_ASKED
    assert "TLS with VMA default failed" in seen.summary()
    assert "Check its address in JOB_RECOVERY_VMA_URL" in seen.summary()


async def test_a_tunnel_that_ends_every_connection_is_unreachable_over_tls_as_well() -> None:
    async def end(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(end, "127.0.0.1", 0)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    async with server, asking(url) as client:
        seen = await probe(client)

    assert last_status(seen) is VMAStatus.UNREACHABLE


@pytest.mark.parametrize("setting", ["JOB_RECOVERY_VMA_CA_FILE", "SSL_CERT_FILE"])
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file or directory"),
        (b"", "it has no certificate in PEM form"),
        (b"not a certificate", "it has no certificate in PEM form"),
    ],
)
def test_a_file_without_an_authority_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, content: bytes | None, why: str
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    if setting == "SSL_CERT_FILE":
        monkeypatch.setenv(setting, str(file))

    with pytest.raises(JobRecoveryError) as refused:
        authorities(file if setting == "JOB_RECOVERY_VMA_CA_FILE" else None)

    assert str(refused.value) == f"{setting}: {file} cannot be used: {why}"
    assert isinstance(refused.value, InvalidInput) == (content is not None)


@pytest.mark.parametrize("encrypted", ["https://localhost", "HTTPS://localhost"])
def test_authorities_are_loaded_if_any_vma_is_encrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encrypted: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    plain = {"default": "http://localhost", "https": "http://localhost"}
    vma_of(plain)

    with pytest.raises(JobRecoveryError, match="SSL_CERT_FILE"):
        vma_of({**plain, "dc2": encrypted})


def vma_of(urls: dict[str, str]) -> HttpVMA:
    """Return a client of these VMAs that asks nothing."""
    settings = Settings()
    return HttpVMA(urls, SystemClock(), settings, circuit_rest=settings.circuit_rest)
