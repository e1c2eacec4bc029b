"""The socket that the API listens on, and what comes out when the service ends."""

import socket
from contextlib import closing

import pytest

from api.http.server import _bind, _one_error
from api.runtime.settings import Settings
from domain.errors import NotFound, StorageUnavailable


def ended_by(*errors: Exception) -> ExceptionGroup[Exception]:
    """Return what a task group within a task group ends with."""
    return ExceptionGroup("tasks", [ExceptionGroup("tasks", list(errors))])


def test_an_error_of_ours_comes_out_of_every_task_group_as_what_it_is() -> None:
    with pytest.raises(StorageUnavailable, match="the disk is gone"), _one_error():
        raise ended_by(StorageUnavailable("the disk is gone"), NotFound("later"))


def test_a_fault_is_not_hidden_by_an_error_of_ours() -> None:
    with pytest.raises(ExceptionGroup) as ended, _one_error():
        raise ended_by(StorageUnavailable("the disk is gone"), KeyError("a fault"))

    assert ended.group_contains(KeyError)


def test_an_answer_of_two_packets_does_not_wait_for_an_acknowledgement() -> None:
    with closing(_bind(Settings(port=0))) as listener:
        with closing(socket.create_connection(listener.getsockname())):
            accepted, _ = listener.accept()
        with closing(accepted):
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
