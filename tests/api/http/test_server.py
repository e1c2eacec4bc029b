"""The listening socket of the API, and the errors that end the service."""

import socket
from contextlib import closing

import pytest

from api.http.listening import bind
from api.http.server import _one_error
from api.runtime.settings import Settings
from domain.errors import NotFound, StorageUnavailable


def ended_by(*errors: Exception) -> ExceptionGroup[Exception]:
    """Return what a task group within a task group ends with."""
    return ExceptionGroup("tasks", [ExceptionGroup("tasks", list(errors))])


def test_a_domain_error_is_raised_without_its_exception_groups() -> None:
    with pytest.raises(StorageUnavailable, match="the disk is gone"), _one_error():
        raise ended_by(StorageUnavailable("the disk is gone"), NotFound("later"))


def test_an_unexpected_exception_is_not_hidden_by_a_domain_error() -> None:
    with pytest.raises(ExceptionGroup) as ended, _one_error():
        raise ended_by(StorageUnavailable("the disk is gone"), KeyError("a fault"))

    assert ended.group_contains(KeyError)


def test_a_response_of_two_packets_does_not_wait_for_an_acknowledgement() -> None:
    with closing(bind(Settings(port=0))) as listener:
        with closing(socket.create_connection(listener.getsockname())):
            accepted, _ = listener.accept()
        with closing(accepted):
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
