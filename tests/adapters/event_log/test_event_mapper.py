"""Several threads can decode stored events and aggregates at once, also for the first time."""

import subprocess
import sys

PROGRAM = """
import os, sys, threading
import msgspec
from adapters.event_log.mapper import AGGREGATES, EventMapper

def race():
    sys.setswitchinterval(1e-6)
    bodies = [(kind, msgspec.json.encode(kind(id="x"))) for kind in AGGREGATES]
    begin = threading.Barrier(4)

    def decode():
        begin.wait()
        for kind, body in bodies:
            msgspec.json.decode(body, type=kind)

    threads = [threading.Thread(target=decode) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

def child():
    if sys.argv[1] == "prepared":
        EventMapper()
    race()
    os._exit(0)

ends = []
for _ in range(60):
    process = os.fork()
    if not process:
        child()
    ends.append(os.waitpid(process, 0)[1])
print(sum(end != 0 for end in ends))
"""


def crashes(how: str) -> int:
    """Return how many of 60 processes crash when four threads start to decode at once."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], check=True, capture_output=True, text=True)  # noqa: S603
    return int(done.stdout)


def test_threads_that_decode_for_the_first_time_at_once_do_not_crash_the_process() -> None:
    assert crashes("prepared") == 0
