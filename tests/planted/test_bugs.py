"""Each planted bug can still be planted. Whether a test finds it is checked by `scripts/reliability/planted-bugs`."""

import pytest

from tests.planted.bug import ROOT, Bug, all_bugs


@pytest.mark.parametrize("bug", all_bugs(), ids=lambda bug: bug.name)
def test_the_text_of_a_bug_occurs_once_in_its_file_and_its_tests_exist(bug: Bug) -> None:
    source = (ROOT / bug.file).read_text()

    planted = bug.planted(source)

    assert planted != source
    assert bug.tests
    assert all((ROOT / path.partition("::")[0]).exists() for path in bug.tests)
