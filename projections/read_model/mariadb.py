"""Sessions on MariaDB that depend on no default of the user, the database or the server."""

import re
import socket
import ssl
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import msgspec
import pymysql  # type: ignore[import-untyped]
from pymysql.constants import CLIENT  # type: ignore[import-untyped]

PORT = 3306
CONNECT_TIMEOUT = 2
"""Seconds."""

NO_TLS = 2026
"""The driver's number of an error before a connection is encrypted."""

FORM = "mariadb://USER:PASSWORD@HOST:PORT/DATABASE"
ENCODE = (
    "in USER and PASSWORD, write % as %25, @ as %40, / as %2F, ? as %3F, # as %23, : as %3A and a blank as %20. "
    "After it may be ?ssl_ca=FILE"
)

_URL = re.compile(
    r"mariadb://([^/?#@:]*)(:[^/?#@:]*)?@([^/?#@:\s]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?/([^/?#@:]+)(\?[^?#]*)?"
)
"""Reserved characters of a password that are not encoded would put part of it in the place of the host."""

SESSION = (
    "SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin",
    "SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', autocommit = 0",
    "SET SESSION sql_select_limit = DEFAULT, unique_checks = 1",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE",
    # Seconds. So long may one statement take, and so long may it wait for a lock.
    "SET SESSION max_statement_time = {statement}, net_read_timeout = {seconds}, net_write_timeout = {seconds}",
    "SET SESSION lock_wait_timeout = {lock}, innodb_lock_wait_timeout = {lock}",
    "SET SESSION wait_timeout = {idle}",
)

KEEP_ALIVE = {"TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": 4000}
"""A network that goes silent is noticed within 4 s."""


class Server(msgspec.Struct, frozen=True):
    """Where a database is. It has a password, so it has no text form."""

    user: str
    password: str
    host: str
    port: int
    database: str
    ssl_ca: Path | None

    def __repr__(self) -> str:
        return f"Server({self.place})"

    @property
    def place(self) -> str:
        """Return its name for messages."""
        return f"{self.database} at {self.host}:{self.port}"

    def connect(self, *, statement: float, lock: int, idle: int) -> pymysql.Connection:
        """Return a new session, configured with its time limits, in seconds.

        Args:
            statement: for one statement.
            lock: for waiting for a lock.
            idle: for being unused. The server ends it then, also if its network or its machine is gone.

        """
        connection = pymysql.Connection(
            host=self.host, port=self.port, user=self.user, password=self.password, database=self.database,
            charset="utf8mb4", client_flag=CLIENT.FOUND_ROWS, connect_timeout=CONNECT_TIMEOUT, defer_connect=True,
            read_timeout=CONNECT_TIMEOUT, write_timeout=CONNECT_TIMEOUT, program_name="job-recovery read model",
            ssl=self._authorities(),
        )  # fmt: skip
        connection.connect(self._socket())
        try:
            _configure(connection, statement=statement, seconds=round(statement), lock=lock, idle=idle)
            # The driver has one limit for the greeting and for all later statements, and a silent server must not
            # have the long one.
            connection._read_timeout = connection._write_timeout = statement + 1  # noqa: SLF001
        except BaseException:
            connection.close()
            raise
        return connection

    def _authorities(self) -> ssl.SSLContext | None:
        try:
            return _authorities_in(self.ssl_ca)
        except ValueError as error:
            raise pymysql.OperationalError(NO_TLS, str(error)) from None

    def _socket(self) -> socket.socket:
        try:
            connected = socket.create_connection((self.host, self.port), CONNECT_TIMEOUT)
        except OSError as error:
            raise pymysql.OperationalError(2003, f"cannot connect to {self.host}:{self.port}: {error}") from None
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEP_ALIVE.items():
            if (option := getattr(socket, name, None)) is not None:
                connected.setsockopt(socket.IPPROTO_TCP, option, value)
        return connected


def server_of(url: str) -> Server:
    """Return the database of a URL.

    Raises:
        ValueError: it is not of the form, or the authorities cannot be read. The message contains no password.

    """
    found = _URL.fullmatch(url)
    if found is None or "\0" in unquote(url):
        raise ValueError(f"It is not of the form {FORM}: {ENCODE}")
    user, password, host, port, database, query = (part or "" for part in found.groups())
    options = dict(parse_qsl(query[1:], keep_blank_values=True))
    if options.keys() - {"ssl_ca"} or int(port[1:] or PORT) > 65535:  # noqa: PLR2004 - the last port
        raise ValueError(f"It is not of the form {FORM}: {ENCODE}")
    ssl_ca = Path(options["ssl_ca"]) if "ssl_ca" in options else None
    _authorities_in(ssl_ca)
    return Server(
        user=unquote(user),
        password=unquote(password[1:]),
        host=host.strip("[]"),
        port=int(port[1:] or PORT),
        database=unquote(database),
        ssl_ca=ssl_ca,
    )


def _authorities_in(file: Path | None) -> ssl.SSLContext | None:
    """Return the authorities that may have signed the server's certificate; None for no TLS.

    Raises:
        ValueError: the file cannot be read, or contains no certificate.

    """
    try:
        return None if file is None else ssl.create_default_context(cafile=file)
    except OSError as error:
        raise ValueError(f"ssl_ca={file}: {error}") from None


def _configure(connection: pymysql.Connection, **limits: float) -> None:
    with connection.cursor() as cursor:
        for command in SESSION:
            cursor.execute(command.format(**limits))
    connection.commit()
