"""What a site does while its log cannot be written: commands are refused in time, and polls and reads go on."""

import time
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import msgspec

from tests.database.site import ANSWER, Site
from tests.support.awake import awake
from tests.support.service import wait_until

PAUSE = 0.2
"""Seconds between two commands."""


class Endured(msgspec.Struct):
    """What was seen. Times in seconds."""

    refused: list[str] = msgspec.field(default_factory=list)
    why: set[str] = msgspec.field(default_factory=set)
    slowest_refusal: float = 0.0
    slowest_read: float = 0.0
    polls: int = 0

    def figures(self) -> dict[str, object]:
        """Return them by name."""
        return {
            "refused": len(self.refused),
            "slowest refusal": f"{self.slowest_refusal:.1f} s",
            "slowest list of all jobs meanwhile": f"{self.slowest_read:.2f} s",
            "polls meanwhile": self.polls,
        }


def endure(site: Site, name: str, seconds: float) -> Endured:
    """Register jobs and read for so many seconds, and until every job is polled; check each answer."""
    seen, before, end = Endured(), _polls(site), awake() + seconds
    while awake() < end:
        job = f"{name}-{len(seen.refused):04}"
        why, took = site.refusal(job)
        seen.refused.append(job)
        seen.why.add(why)
        seen.slowest_refusal = max(seen.slowest_refusal, took)
        seen.slowest_read = max(seen.slowest_read, _read(site))
        time.sleep(PAUSE)
    site.wait_until_polled()
    seen.polls = _polls(site) - before
    assert seen.polls > 0
    return seen


def registrations(site: Site, names: list[str]) -> list[Future[httpx.Response]]:
    """Register jobs at once, in threads; return the answers to come."""
    threads = ThreadPoolExecutor(len(names))
    answers = [threads.submit(_registration, site, name) for name in names]
    threads.shutdown(wait=False)
    return answers


def _registration(site: Site, name: str) -> httpx.Response:
    return site.answer_to_registration(name)[0]


def end(site: Site, answers: list[Future[httpx.Response]]) -> float:
    """End the service with SIGTERM while these answers are outstanding; check them, and return the seconds."""
    began = awake()
    code = site.service.terminate()
    seconds = awake() - began
    assert code == 0, site.service.log_file.read_text()[-2000:]
    wrong = [answer for answer in map(_answer, answers) if answer not in {"503", "no answer"}]
    assert not wrong, wrong[:3]
    assert seconds < ANSWER, f"the service ended {seconds:.1f} s after SIGTERM"
    return seconds


def _answer(answer: Future[httpx.Response]) -> str:
    """Return what a client got when the service ended: a refusal, or nothing if it came too late to be read."""
    try:
        response = answer.result(60)
    except httpx.TransportError:
        return "no answer"
    known = response.status_code == httpx.codes.SERVICE_UNAVAILABLE and response.json()["detail"]
    return "503" if known else f"HTTP {response.status_code}, {response.text}"


def _read(site: Site) -> float:
    """List all jobs; return the seconds."""
    began = awake()
    assert site.service.jobs()
    return awake() - began


def _polls(site: Site) -> int:
    """Return how often the VMA was asked, after the service has said the same of itself."""
    said = site.service.get("/api/v1/polling").json()["polls"]
    wait_until(lambda: site.service.get("/api/v1/polling").json()["polls"] > said, what="another poll")
    return site.vma.requests.total
