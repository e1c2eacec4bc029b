"""Column types that mean the same on SQLite, PostgreSQL and MariaDB.

Texts are compared and ordered by bytes. A collation would make ids equal that differ, and its order changes with the
server's libraries, which breaks indexes.
"""

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Double, Integer, LargeBinary, String, Text, TypeDecorator
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

MARIADB_COLLATION = "utf8mb4_nopad_bin"
"""By bytes, and without padding: in the other binary collation, an id equals itself with blanks behind it."""

SERVERS = ("mysql", "mariadb")
"""The names that SQLAlchemy has for MariaDB."""

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str | None) -> str | None:
    r"""Return a text without what PostgreSQL or UTF-8 cannot have: NUL becomes `\x00`, half a character `\ud800`.

    Ids cannot contain either, and the events of the audit trail are JSON, which escapes NUL.
    """
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return _NOT_STORABLE.sub(lambda found: ascii(found[0])[1:-1], text)


class _Storable(TypeDecorator[str]):
    """A text of which all can be stored, and which is compared by bytes."""

    impl = String

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:  # noqa: ARG002 - the library's
        """Return the function itself: SQLAlchemy's calls of `process_bind_param` take longer than the function."""
        return storable

    def load_dialect_impl(self, dialect: Dialect) -> Any:  # noqa: ANN401 - SQLAlchemy's types
        """Return the type of one database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Text(collation="C"))
        return dialect.type_descriptor(self.on_mariadb() if dialect.name in SERVERS else self.impl_instance)

    def on_mariadb(self) -> TypeEngine[str]:
        """Return its type on MariaDB."""
        raise NotImplementedError


class ShortText(_Storable):
    """A text that may be in an index, with a limit only where an index needs one."""

    cache_ok = True

    def on_mariadb(self) -> TypeEngine[str]:
        """Return a text with a limit."""
        length = getattr(self.impl_instance, "length", None)
        return mysql.VARCHAR(length, charset="utf8mb4", collation=MARIADB_COLLATION)


class LongText(_Storable):
    """A text of any length."""

    cache_ok = True
    impl = Text

    def on_mariadb(self) -> TypeEngine[str]:
        """Return a text without a limit."""
        return mysql.LONGTEXT(charset="utf8mb4", collation=MARIADB_COLLATION)


# SQLite numbers have 64 bits anyway, and only an INTEGER can be the key of its rows.
Number = BigInteger().with_variant(Integer(), "sqlite")
"""A position, or a version."""

Time = DateTime().with_variant(mysql.DATETIME(fsp=6), *SERVERS)
"""With microseconds, in UTC, without its zone."""

Blob = LargeBinary().with_variant(mysql.LONGBLOB(), *SERVERS)

Fraction: Double[float] = Double()
