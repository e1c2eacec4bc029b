"""A simulated VMA that cannot be as it is asked to says so in one line."""

import json
import socket
import threading
from contextlib import closing
from pathlib import Path

import pytest

from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from tests.api.cli.conftest import complaint

Capture = pytest.CaptureFixture[str]
ANYWHERE = ["simulate-vma", "--port", "0", "--control-port", "0"]


@pytest.mark.parametrize("port", ["99999", "-1", "9" * 5000, "x", ""])
@pytest.mark.parametrize("option", ["--port", "--control-port"])
def test_an_invalid_port_is_exit_code_2(option: str, port: str, capsys: Capture) -> None:
    assert main(["simulate-vma", option, port]) == 2
    assert f"argument {option}: must be a whole number from 0 to 65535" in complaint(capsys)


def test_an_invalid_host_is_exit_code_2(capsys: Capture) -> None:
    assert main([*ANYWHERE, "--host", "a" * 300]) == 2
    assert f"cannot listen on {'a' * 100}, ports " in complaint(capsys)


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("nowhere.invalid", "Check that the name is right, and that this machine can resolve it"),
        ("192.0.2.1", "Cannot assign requested address. Bring this address up, or set one of this machine"),
    ],
)
def test_an_address_that_this_machine_may_get_later_is_exit_code_1(host: str, says: str, capsys: Capture) -> None:
    assert main([*ANYWHERE, "--host", host]) == 1
    assert says in complaint(capsys)


@pytest.mark.parametrize(("option", "other"), [("--port", "--control-port"), ("--control-port", "--port")])
def test_a_port_that_is_taken_is_exit_code_1_and_the_remedy_is_told(option: str, other: str, capsys: Capture) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert main(["simulate-vma", other, "0", option, str(port)]) == 1
    assert f"port {port}: Address already in use. Stop the program that uses it" in complaint(capsys)


@pytest.mark.parametrize(
    "world",
    [None, b"nonsense", b"\xff", b"[" * 100_000, b"{}", b"[1]", b"[{}]", json.dumps([{"job_id": 1}]).encode()],
    ids=lambda world: "missing" if world is None else world[:12].decode("latin-1"),
)
def test_an_invalid_world_is_exit_code_2(world: bytes | None, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "world.json"
    if world is not None:
        file.write_bytes(world)

    assert main([*ANYWHERE, "--world", str(file)]) == 2
    assert f"--world: {file} cannot be used: " in complaint(capsys)


def test_one_that_cannot_listen_leaves_nothing_behind() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        vma = SimulatedVMA(taken.getsockname()[1])
        with pytest.raises(OSError, match="already in use"):
            vma.start()

    assert not [thread for thread in threading.enumerate() if thread.name == "simulated-vma"]
