"""The documents agree with the code: paths, links, settings, rules and log events."""

import re
from pathlib import Path

import pytest

from api.http import limits
from api.http.limits import Kind
from api.http.slots import EXPORTS, STREAMS
from api.runtime.settings import Settings
from domain.recovery_policy import Rule

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")} - {ROOT / "CHANGELOG.md"})
"""Every document but the one that names files of the past."""

PACKAGES = ("adapters", "api", "domain", "projections")
PATH = re.compile(rf"(?:{'|'.join(PACKAGES)}|docs|scripts|tests)/[\w./-]*")

WARNING = re.compile(r"""\.(?:warning|error)[(,]\s*"([a-z]+(?:_[a-z]+)+)\"""")
"""A log event of a level that asks for an action, also one that is logged by a callback."""

METRICS = {"job_recovery_log_lines_dropped_total"}
"""Metrics among the messages. Prometheus adds their ending."""


def section(document: str, heading: str) -> str:
    """Return the text between a heading and the next one."""
    return (ROOT / document).read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def column(text: str, number: int) -> list[str]:
    """Return a column, counted from 1, of the table in a text, without its heading."""
    rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.startswith("| ")]
    return [row[number] for row in rows if not row[number].startswith("---")][1:]


def quoted(text: str) -> set[str]:
    """Return everything that a text has in backticks on one line."""
    return set(re.findall(r"`([^`\n]+)`", text))


def shown(default: object) -> str:
    """Return a default as the table of settings shows it."""
    if default is None:
        return "–"  # noqa: RUF001 - the dash that tables have for nothing
    return f"{default:g}" if isinstance(default, float) else str(default)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_path_that_a_document_names_exists(document: Path) -> None:
    words = re.split(r"[\s`]+", document.read_text())

    named = sorted({word.rstrip(".,;:") for word in words if PATH.fullmatch(word)})

    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_of_a_document_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text())

    local = [link for link in links if "://" not in link]

    assert [link for link in local if not (document.parent / link).exists()] == []


def test_every_adr_is_in_the_index_under_its_title() -> None:
    index = (ROOT / "docs/adr/README.md").read_text()

    for record in (ROOT / "docs/adr").glob("[0-9]*.md"):
        number, title = record.read_text().splitlines()[0].removeprefix("# ").split(". ", maxsplit=1)
        assert f"| [{number}]({record.name}) | {title} |" in index


def test_the_settings_are_documented_with_their_defaults() -> None:
    table = section("docs/operations.md", "Settings")
    rows = zip(column(table, 1), column(table, 2), strict=True)

    documented = {
        name: default
        for names, defaults in rows
        for name, default in zip(re.findall(r"`(\w+)`", names), defaults.split(", "), strict=True)
    }

    fields = {
        name.upper(): field.get_default(call_default_factory=True) for name, field in Settings.model_fields.items()
    }
    assert documented == {name: shown(default) for name, default in fields.items()}


def test_the_decision_table_has_every_rule() -> None:
    documented = quoted("\n".join(column(section("README.md", "The decision table"), 3)))

    assert documented == {rule.value for rule in Rule}


def test_every_rule_by_which_a_job_waits_has_a_remedy() -> None:
    table = section("README.md", "The decision table")
    waits = {rule for rule, decision in zip(column(table, 3), column(table, 4), strict=True) if decision == "retry"}

    explained = column(section("docs/operations.md", "Needs attention"), 1)

    assert waits - set(explained) == set()


def test_every_log_event_that_is_explained_is_logged_somewhere() -> None:
    words = quoted("\n".join(column(section("docs/operations.md", "Messages"), 1)))
    explained = {word for word in words if re.fullmatch(r"[a-z]+(_[a-z]+)+", word)} - METRICS

    source = "\n".join(path.read_text() for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

    assert len(explained) > 20
    assert {name for name in explained if f'"{name}"' not in source} == set()


def test_every_warning_and_every_error_of_the_log_is_explained() -> None:
    explained = quoted("\n".join(column(section("docs/operations.md", "Messages"), 1)))

    source = "\n".join(path.read_text() for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

    logged = set(WARNING.findall(source))
    assert len(logged) > 30
    assert logged - explained == set()


def test_the_readme_fits_on_two_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


def test_the_limits_of_a_request_are_those_of_the_code() -> None:
    listed = section("docs/security.md", "What one party can cost the others")
    body = f"body: {limits.MAX_BODY // 1000} kB and {limits.MAX_FIELDS:,} fields within {limits.BODY_TIMEOUT:g} s"
    reads, commands, reports = (limits.AT_ONCE[kind] for kind in (Kind.READ, Kind.COMMAND, Kind.REPORT))
    at_once = f"{reads} reads, {reports} workers' reports and {commands} others; {limits.MAX_WAITING} of each wait"
    waits = limits.PATIENCE
    patience = f"a read or a report for {waits[Kind.READ]:g} s and another for {waits[Kind.COMMAND]:g} s"
    assert waits[Kind.REPORT] == waits[Kind.READ]
    long = (
        f"{STREAMS._limit} and {EXPORTS._limit} at once, {STREAMS._per_caller} and {EXPORTS._per_caller} for one caller"
    )

    assert [text for text in (body, at_once, patience, long) if text not in listed] == []
    assert limits.MAX_BODY % 1000 == 0
