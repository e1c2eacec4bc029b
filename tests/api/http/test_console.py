"""The console's files over HTTP: where they are, how long a browser keeps them, and what the page may do."""

import re
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urljoin

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from api.http.console import PAGES
from tests.support.http_api import serving

INDEX = '<!doctype html><html><head><meta charset="utf-8"><script src="./assets/main-Ab12.js"></script></head></html>'
FILES = {
    "index.html": INDEX,
    "icon.svg": "<svg/>",
    "assets/main-Ab12.js": "console.log('ü');" * 100,
    "assets/main-Cd34.css": "body{}",
    "assets/font-Ef56.woff2": "font",
    "assets/odd-Gh78.zzz": "odd",
}
DATA = 'id="x"&<b>'


@pytest.fixture(scope="module")
def vma() -> Iterator[SimulatedVMA]:
    with SimulatedVMA() as running:
        yield running


@pytest.fixture(scope="module")
async def console(vma: SimulatedVMA, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a small build; a secret file is beside it."""
    folder = tmp_path_factory.mktemp("console")
    dist = folder / "dist"
    (dist / "assets").mkdir(parents=True)
    for name, content in FILES.items():
        (dist / name).write_text(content, encoding="utf-8")
    (folder / "secret.txt").write_text("secret")
    async with serving(vma, folder, dist) as client:
        client.base_url = httpx.URL("http://localhost")
        yield client


@pytest.fixture(scope="module")
async def bare(vma: SimulatedVMA, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """Serve without a build."""
    folder = tmp_path_factory.mktemp("bare")
    async with serving(vma, folder, folder / "nothing") as client:
        client.base_url = httpx.URL("http://localhost")
        yield client


def filled(page: str) -> str:
    return re.sub(r"{\w+}", "job-1", page)


@pytest.mark.parametrize("prefix", ["", "/ops/recovery"])
@pytest.mark.parametrize("page", PAGES)
async def test_a_page_finds_its_files_and_the_api_also_below_a_prefix_that_a_proxy_removes(
    console: httpx.AsyncClient, page: str, prefix: str
) -> None:
    answer = await console.get(filled(page))

    base = re.search(r'<head><base href="([^"]+)">', answer.text)
    assert answer.status_code == 200
    assert base
    seen_by_browser = urljoin(f"https://site.example{prefix}{filled(page)}", base[1])
    assert urljoin(seen_by_browser, "./assets/main-Ab12.js") == f"https://site.example{prefix}/assets/main-Ab12.js"
    assert urljoin(seen_by_browser, "api/v1/jobs") == f"https://site.example{prefix}/api/v1/jobs"


@pytest.mark.parametrize(
    ("given", "leads_to"),
    [
        ("/runs/", "/runs"),
        ("/runs/?page=2", "/runs?page=2"),
        ("/jobs/job-1/", "/jobs/job-1"),
        ("/jobs/a%20%3Fb/", "/jobs/a%20%3Fb"),
    ],
)
async def test_a_slash_at_the_end_leads_to_the_page_also_below_a_prefix(
    console: httpx.AsyncClient, given: str, leads_to: str
) -> None:
    answer = await console.get(given)

    assert answer.status_code == 307
    seen_by_browser = f"https://site.example/ops/recovery{given}"
    assert urljoin(seen_by_browser, answer.headers["location"]) == f"https://site.example/ops/recovery{leads_to}"


async def test_a_page_takes_any_id_and_any_filter_and_repeats_none_of_it(console: httpx.AsyncClient) -> None:
    plain = await console.get("/jobs/job-1")

    odd = await console.get("/jobs/%22%3E%3Cscript%3Ex", params={"anything": DATA})

    assert odd.text == plain.text


async def test_the_page_is_asked_for_again_and_its_files_are_kept(console: httpx.AsyncClient) -> None:
    page, asset, icon = [await console.get(path) for path in ("/", "/assets/main-Ab12.js", "/icon.svg")]

    assert page.headers["cache-control"] == "no-cache"
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert icon.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
        ("/assets/main-Ab12.js", "text/javascript; charset=utf-8"),
        ("/assets/main-Cd34.css", "text/css; charset=utf-8"),
        ("/assets/font-Ef56.woff2", "font/woff2"),
        ("/assets/odd-Gh78.zzz", "application/octet-stream"),
    ],
)
async def test_each_file_has_its_type_its_content_and_its_tag(
    console: httpx.AsyncClient, path: str, media_type: str
) -> None:
    answer = await console.get(path)

    assert answer.headers["content-type"] == media_type
    assert path == "/" or answer.text == FILES[path.removeprefix("/")]
    for tag in (answer.headers["etag"], f'"other", W/{answer.headers["etag"]}'):
        again = await console.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    assert (await console.get(path, headers={"If-None-Match": '"other"'})).status_code == 200
    assert (await console.get(path, headers={"If-None-Match": "untagged"})).status_code == 400


async def test_a_file_is_compressed_for_a_client_that_can_read_that_under_a_tag_of_its_own(
    console: httpx.AsyncClient,
) -> None:
    path = "/assets/main-Ab12.js"
    plain = await console.get(path, headers={"Accept-Encoding": "identity"})

    compressed = await console.get(path, headers={"Accept-Encoding": "gzip, br"})

    assert compressed.headers["content-encoding"] == "gzip"
    assert compressed.text == plain.text
    assert int(compressed.headers["content-length"]) < int(plain.headers["content-length"])
    assert compressed.headers["etag"] != plain.headers["etag"]
    assert {plain.headers["vary"], compressed.headers["vary"]} == {"Accept-Encoding"}
    font = await console.get("/assets/font-Ef56.woff2", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in font.headers


@pytest.mark.parametrize("path", ["/", "/jobs/job-1", "/assets/main-Ab12.js", "/icon.svg", "/assets/gone-0000.js"])
async def test_every_answer_has_the_policy_that_the_browser_enforces(console: httpx.AsyncClient, path: str) -> None:
    headers = (await console.get(path)).headers

    policy = dict(one.split(" ", 1) for one in headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'self'",
        "base-uri": "'self'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
    }
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/gone-0000.js",
        "/assets/",
        "/assets",
        "/index.html",
        "/nothing",
        "/jobs",
        "/jobs/",
        "/jobs/a/b",
        "/jobs/a%2Fb",
        "/what-if/x",
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets//etc/passwd",
        "/assets/main-Ab12.js%00",
        "/assets/MAIN-Ab12.js",
    ],
)
async def test_what_is_missing_is_a_problem_and_no_page(console: httpx.AsyncClient, path: str) -> None:
    answer = await console.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.json()["detail"]


async def test_a_missing_file_is_not_kept_by_a_cache(console: httpx.AsyncClient) -> None:
    answer = await console.get("/assets/gone-0000.js")

    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["detail"] == "the console has no such file: reload the page"


@pytest.mark.parametrize("path", ["/", "/runs", "/assets/main-Ab12.js"])
async def test_a_file_can_be_asked_about_and_not_be_written(console: httpx.AsyncClient, path: str) -> None:
    got, head = await console.get(path), await console.head(path)

    assert head.status_code == 200
    assert head.headers == got.headers
    written = await console.put(path)
    assert (written.status_code, written.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("page", PAGES)
async def test_without_a_build_every_page_says_how_to_make_one(bare: httpx.AsyncClient, page: str) -> None:
    answer = await bare.get(filled(page))

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "this installation has no web console. In a clone, run `scripts/setup`" in answer.json()["detail"]
    assert (await bare.get("/api/v1/jobs")).status_code == 200


LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


async def test_a_link_of_another_site_leads_to_a_page_but_not_into_the_api(console: httpx.AsyncClient) -> None:
    assert (await console.get("/jobs/job-1", headers=LINK)).status_code == 200

    for path in ("/api/v1/jobs", "/metrics", "/openapi.json", "/health"):
        assert (await console.get(path, headers=LINK)).status_code == 403, path


@pytest.mark.parametrize(
    "headers",
    [
        {**LINK, "Sec-Fetch-Dest": "iframe"},
        {**LINK, "Sec-Fetch-Mode": "no-cors"},
        {**LINK, "Origin": "http://evil.example"},
        {**LINK, "Host": "evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
async def test_another_site_cannot_use_a_page_otherwise(console: httpx.AsyncClient, headers: dict[str, str]) -> None:
    for path in ("/", "/assets/main-Ab12.js"):
        assert (await console.get(path, headers=headers)).status_code == 403
