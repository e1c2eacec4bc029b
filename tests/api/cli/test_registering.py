"""Registering a job from the command line."""

import json
from collections.abc import Iterator

import pytest

from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from tests.api.cli.conftest import complaint
from tests.support.service import ServiceProcess

Capture = pytest.CaptureFixture[str]

NEW = ["register", "job-1", "--vm-name", "pgtest1", "--volume", "disk-1"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with SimulatedVMA() as vma:
        service = ServiceProcess(tmp_path_factory.mktemp("registering") / "data", vma.url)
        service.start()
        yield service
        service.close()


def test_a_job_is_registered_with_all_that_is_known_of_it(served: ServiceProcess, capsys: Capture) -> None:
    line = ["register", "job-9", "--vm-name", "web 01", "--vm-context", "ctx-web", "--vma", "default"]
    disks = ["--volume", "disk-9a", "--volume", "disk-9b", "--progress", "12.5"]

    assert main([*line, *disks, "--url", served.url, "--json"]) == 0

    job = json.loads(capsys.readouterr().out)
    assert (job["job_id"], job["vm_name"], job["vm_context_id"]) == ("job-9", "web 01", "ctx-web")
    assert (job["volume_ids"], job["vma"], job["progress_percent"]) == (["disk-9a", "disk-9b"], "default", 12.5)
    # A poll may have been recorded meanwhile.
    assert served.get("/api/v1/jobs/job-9").json()["version"] >= job["version"] == 1


def test_the_same_job_again_changes_nothing_and_another_of_its_id_is_refused(
    served: ServiceProcess, capsys: Capture
) -> None:
    assert main([*NEW, "--url", served.url]) == 0
    assert "ctx-job-1" in capsys.readouterr().out

    assert main([*NEW, "--url", served.url]) == 0
    capsys.readouterr()
    assert main([*NEW, "--volume", "disk-2", "--url", served.url]) == 1
    assert "job-1" in complaint(capsys)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["register", "job-2", "--volume", "disk-2"], "required: --vm-name"),
        (["register", "job-2", "--vm-name", "vm"], "required: --volume"),
        (["register", "job-2", "--vm-name", "vm", "--volume", "v", "--progress", "nan"], "number from 0 to 100"),
        (["register", "a/b", "--vm-name", "vm", "--volume", "v"], "body.job_id"),
        (["register", "job-2", "--vm-name", " ", "--volume", "v"], "body.vm_name"),
        (["register", "job-2", "--vm-name", "v\udcff", "--volume", "v"], "--vm-name: its value is not UTF-8"),
        (["register", "job-2", "--vm-name", "vm", "--volume", "v", "--volume", "v"], "listed twice"),
        (["register", "job-2", "--vm-name", "vm", "--volume", "v", "--vma", "dc9"], "no VMA named 'dc9'"),
    ],
)
def test_what_cannot_be_registered_is_one_line_and_exit_code_2(
    served: ServiceProcess, line: list[str], says: str, capsys: Capture
) -> None:
    assert main([*line, "--url", served.url]) == 2
    assert says in complaint(capsys)
