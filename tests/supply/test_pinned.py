"""Everything that is installed is pinned, and what is pinned is audited."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LISTS = sorted(
    path.relative_to(ROOT) for path in [*ROOT.glob("*constraints.txt"), *ROOT.glob("scripts/**/*constraints.txt")]
)
PINNED = re.compile(r"^(\S+)==(\S+)", re.MULTILINE)


def test_the_installer_is_itself_the_pinned_one() -> None:
    pinned = dict(PINNED.findall((ROOT / "scripts/build-constraints.txt").read_text()))

    assert {name: version(name) for name in ("pip", "setuptools")} == pinned


@pytest.mark.parametrize("path", LISTS, ids=str)
def test_every_list_is_audited_has_hashes_and_names_no_address(path: Path) -> None:
    text = (ROOT / path).read_text()
    audit = (ROOT / "scripts/supply-chain").read_text().partition("pip-audit")[2]

    assert f"-r {path}" in audit
    assert text.count("--hash=sha256:") >= len(PINNED.findall(text)) > 0
    assert "://" not in text
