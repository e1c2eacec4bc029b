"""Who may ask the simulated VMA, over what, and for which ids."""

import ssl
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
import trustme

from adapters.simulated_vma import SimulatedVMA

IDS = [
    "ctx-PhilB Test machine-20250909-113839",
    "a%20b",
    "100%",
    "what?",
    "a#b",
    "a&b=c+d;e,f",
    "(a)[b]{c}",
    "\"a\" 'b' <c>",
    "a\\b|c~d^e`f",
    "a:b@c!d*e$f",
    "Rechnungsprüfung/経理",
]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def private(authority: trustme.CA) -> Iterator[SimulatedVMA]:
    """Run a VMA with a certificate of a private authority, which wants a login."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with SimulatedVMA(ssl_context=context, credentials=("oma", "pass:wörd"), control_port=0) as running:
        running.world.add_job("job-1", ["a"])
        yield running


@pytest.fixture
def client(private: SimulatedVMA, authority: trustme.CA) -> Iterator[httpx.Client]:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with httpx.Client(base_url=f"{private.url}/api/v1", verify=trusting, trust_env=False) as opened:
        yield opened


@pytest.mark.parametrize("path", ["/health", "/progress/migration-vol-a", "/status/job-1"])
def test_only_who_logs_in_is_answered(client: httpx.Client, path: str) -> None:
    right = httpx.BasicAuth("oma", "pass:wörd")
    wrong = [None, httpx.BasicAuth("oma", "pass"), httpx.BasicAuth("amo", "pass:wörd")]

    refused = [client.get(path, auth=auth) for auth in wrong]

    assert [response.status_code for response in refused] == [401] * 3
    assert {response.headers["WWW-Authenticate"] for response in refused} == {'Basic realm="vma"'}
    assert client.get(path, auth=right).status_code != 401


def test_it_speaks_https_with_the_certificate_that_it_was_given(private: SimulatedVMA) -> None:
    assert private.url.startswith("https://")
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{private.url}/api/v1/health", verify=ssl.create_default_context(), trust_env=False)


def test_its_faults_are_the_same(private: SimulatedVMA, client: httpx.Client) -> None:
    private.faults.set("silent")
    with pytest.raises(httpx.ConnectTimeout):
        client.get("/health", timeout=0.3)

    private.faults.clear()
    assert client.get("/health", auth=("oma", "pass:wörd")).status_code == 200


def test_its_world_is_scripted_without_a_login(private: SimulatedVMA) -> None:
    assert (private.control_url or "").startswith("http://")
    assert httpx.get(f"{private.control_url}/world", trust_env=False).json()["job-1"]["truth"] == "running"


@pytest.mark.parametrize("name", IDS)
def test_every_printable_id_works_at_every_endpoint(vma: SimulatedVMA, name: str) -> None:
    vma.world.add_job(name, [name], reports="both", duration=3600)
    vma.world.add_job(f"{name}.old", [f"{name}.old"], dialect="status_only", duration=3600)
    api, export = f"{vma.url}/api/v1", f"migration-vol-{name}"
    with httpx.Client(trust_env=False) as client:

        def said_of(path: str, asked_id: str) -> object:
            return client.get(f"{api}/{path}/{quote(asked_id, safe='')}").json()["job_id"]

        assert (said_of("progress", name), said_of("progress", export)) == (name, export)
        assert said_of("status", f"{name}.old") == f"{name}.old"

        client.post(f"{api}/progress/{quote(export, safe='')}/update", json={"percent": 12.5})
        vma.faults.set("status", id=name, code=429)

        assert client.get(f"{api}/progress/{quote(export, safe='')}").json()["percentage"] == 12.5
        assert client.get(f"{api}/progress/{quote(name, safe='')}").status_code == 429
        unknown = client.get(f"{api}/status/{quote(f'{name}.new', safe='')}")
    assert (unknown.status_code, unknown.text) == (404, f"Job not found: {name}.new")
    assert vma.requests.count(export) == 2
