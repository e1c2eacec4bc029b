"""One examination: a random life of jobs, kills, and questions in between."""

import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from adapters.simulated_vma import SimulatedVMA
from tests.oracle.asking import Asker
from tests.oracle.life import Life, log_of


@dataclass(kw_only=True)
class Result:
    """What was asked, and of how much."""

    questions: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    jobs: int = 0
    runs: int = 0
    events: int = 0
    types: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def examine(seed: int, folder: Path, questions: int, kills: int, commands: float) -> Result:
    """Ask so many questions, with so many kills evenly in between.

    Raises:
        Difference: an answer is not the one that the log gives.

    """
    began = time.monotonic()
    result = Result()
    with SimulatedVMA() as vma, closing(Asker(seed, log_of(folder), commands)) as asker:
        life = Life(seed, folder, vma)
        try:
            life.begin()
            for round_ in range(kills + 1):
                asker.connect(life.service.url)
                asker.ask_until(questions * (round_ + 1) // (kills + 1))
                if round_ < kills:
                    life.kill()
                    result.kills += 1
        finally:
            life.end()
    result.questions, result.events = asker.asked, asker.past.head
    result.jobs, result.runs = len(asker.past.jobs), len(asker.past.runs)
    result.types = Counter(event.type for event in asker.past.events)
    result.seconds = time.monotonic() - began
    return result
