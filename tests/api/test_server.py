"""The socket that the API listens on."""

import socket
from contextlib import closing

from api.server import _bind
from api.settings import Settings


def test_an_answer_of_two_packets_does_not_wait_for_an_acknowledgement() -> None:
    with closing(_bind(Settings(port=0))) as listener:
        with closing(socket.create_connection(listener.getsockname())):
            accepted, _ = listener.accept()
        with closing(accepted):
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
