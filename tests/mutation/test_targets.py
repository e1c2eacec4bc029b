"""The list of what is mutated is complete and fits the code. `scripts/reliability/mutation` measures the scores."""

from collections import Counter

import pytest

from tests.mutation.mutant import mutants_of
from tests.mutation.target import ROOT, Target, targets


def test_every_module_of_the_domain_is_mutated() -> None:
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "domain").rglob("*.py") if path.name != "__init__.py"}

    assert modules <= {target.module for target in targets()}


def test_no_module_counts_twice() -> None:
    assert max(Counter(target.module for target in targets()).values()) == 1


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.module)
def test_a_module_and_its_tests_exist(target: Target) -> None:
    assert (ROOT / target.module).is_file()
    assert target.tests
    assert all((ROOT / path).is_file() for path in target.tests)


SOURCE = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Limit:
    most: int | None = 3

def exceeds(limit: Limit, *, count: int) -> bool:
    return limit.most is not None and count > limit.most
"""


def test_mutants_change_what_a_test_can_notice_and_are_python() -> None:
    changed = {line[1:].strip() for mutant in mutants_of(SOURCE) for line in mutant.difference(SOURCE).splitlines()[2:]}

    assert "return limit.most is not None or count > limit.most" in changed
    assert "return limit.most is not None and count >= limit.most" in changed
    assert "most: int | None = 4" in changed
    assert not {line for line in changed if "/, count" in line or "frozen=False" in line or "int + None" in line}
    for mutant in mutants_of(SOURCE):
        compile(mutant.of(SOURCE), "mutant", "exec")
