"""Whether guessing tokens slows the API for others: 100 wrong ones a second beside a caller with a right one.

    .venv/bin/python scripts/bench/guessing.py

Prints the median milliseconds of a read alone and beside the guessing, in turn, and their ratio.
"""

import secrets
import statistics
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import httpx

from adapters.simulated_vma import SimulatedVMA
from adapters.tokens import Scope, TokenFile
from tests.restart.service import ServiceProcess

READS = 200
ROUNDS = 5
PER_SECOND = 100


def guess(url: str, stop: threading.Event, refused: list[int]) -> None:
    """Send wrong tokens at a steady rate."""
    with httpx.Client(base_url=url, trust_env=False) as client:
        while not stop.wait(1 / PER_SECOND):
            headers = {"Authorization": f"Bearer jr_{secrets.token_urlsafe(32)}"}
            refused.append(client.get("/api/v1/jobs", headers=headers).status_code)


def read(url: str, token: str) -> list[float]:
    """Read with a right token; return the seconds of each."""
    took = []
    with httpx.Client(base_url=url, trust_env=False, headers={"Authorization": f"Bearer {token}"}) as client:
        for _ in range(READS):
            began = time.perf_counter()
            client.get("/api/v1/jobs").raise_for_status()
            took.append(time.perf_counter() - began)
            time.sleep(0.01)
    return took


def main() -> None:
    """Measure the two in turn and print the ratio."""
    with SimulatedVMA() as vma, tempfile.TemporaryDirectory() as folder:
        service = ServiceProcess(Path(folder) / "data", vma.url, RATE_LIMIT="0")
        token = TokenFile(service.data_dir).create("bench", Scope.READ, datetime.now(UTC))
        service.start()
        alone, beside, refused = [], [], list[int]()
        for _ in range(ROUNDS):
            alone += read(service.url, token)
            stop = threading.Event()
            guesser = threading.Thread(target=guess, args=(service.url, stop, refused))
            guesser.start()
            beside += read(service.url, token)
            stop.set()
            guesser.join()
        service.close()
    a, b = statistics.median(alone) * 1000, statistics.median(beside) * 1000
    print(f"{len(refused)} guesses, all refused: {set(refused) == {httpx.codes.UNAUTHORIZED}}")
    print(f"a read takes {a:.2f} ms alone, {b:.2f} ms beside them; ratio {b / a:.2f}")


if __name__ == "__main__":
    main()
