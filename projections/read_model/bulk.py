"""Reads and inserts many rows at once.

SQLAlchemy processes each row by itself, which takes longer than the database needs for it. And SQLite's module hands
over the interpreter's lock at every row that it reads, and at every statement: a batch would wait for it row by row
while the service is busy.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, DateTime, Dialect, LargeBinary, Table, Text, func, select

from projections.read_model.column_types import LongText, ShortText, storable
from projections.read_model.errors import decode

T = TypeVar("T")

ROWS = 64
"""Rows of one statement."""

Row = dict[str, Any]


def select_all(connection: Connection, columns: Sequence[Column[Any]], condition: ColumnElement[bool]) -> list[Row]:
    """Return rows of numbers, texts and JSON, which is a text on SQLite; raise `ReadModelDamaged` if it is none."""
    if connection.dialect.name != "sqlite":
        return [dict(row) for row in connection.execute(select(*columns).where(condition)).mappings()]
    values = (column.cast(Text) if isinstance(column.type, LargeBinary) else column for column in columns)
    row = func.json_object(*chain.from_iterable(zip((column.name for column in columns), values, strict=True)))
    found = connection.execute(select(func.json_group_array(row).cast(LargeBinary)).where(condition))
    return decode(found.scalar_one(), list)


def among(connection: Connection, column: Column[Any], values: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a column has one of these values: on SQLite one parameter, and not one for each."""
    if connection.dialect.name != "sqlite":
        return column.in_(values)
    listed = func.json_each(msgspec.json.encode(values).decode()).table_valued("value")
    return column.in_(select(listed.c.value))


def insert_all(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; a column without a value is null."""
    insert_columns(connection, table, {column.name: [row.get(column.name) for row in rows] for column in table.columns})


def insert_columns(connection: Connection, table: Table, values: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows, of which the values are given by the names of the columns."""
    dialect = connection.dialect
    stored = list(zip(*(_stored(column, values[column.name], dialect) for column in table.columns), strict=True))
    if dialect.name != "sqlite" and stored:
        # The drivers of servers send many rows at once by themselves.
        connection.exec_driver_sql(_statement(table, dialect, 1), stored)
        return
    for some in _parts(stored):
        connection.exec_driver_sql(_statement(table, dialect, len(some)), tuple(chain.from_iterable(some)))


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Split rows into powers of two: SQLite's module keeps its last 128 different statements, of 2 kB for each row."""
    start = 0
    while left := len(rows) - start:
        count = min(ROWS, 1 << (left.bit_length() - 1))
        yield rows[start : start + count]
        start += count


def _stored(column: Column[Any], values: Sequence[Any], dialect: Dialect) -> Iterable[object]:
    """Return the values of a column as the driver needs them."""
    if isinstance(column.type, ShortText | LongText):
        return _storable(values)
    if dialect.name == "sqlite" and isinstance(column.type, DateTime):
        # As SQLAlchemy does it, which takes several times as long.
        texts = {time: time.isoformat(" ", "microseconds") for time in set(values) if time is not None}
        return map(texts.get, values)
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    return values if process is None else map(process, values)


def _storable(texts: Sequence[str | None]) -> Iterable[str | None]:
    """Return texts as `storable` does, without a look at each if that changes none."""
    together = "".join(filter(None, texts))
    return texts if together.isascii() and "\0" not in together else map(storable, texts)


def _statement(table: Table, dialect: Dialect, rows: int) -> str:
    names = dialect.identifier_preparer
    parameters = ["?" if dialect.paramstyle == "qmark" else "%s"] * len(table.columns)
    columns = ", ".join(names.format_column(column) for column in table.columns)
    values = ", ".join([f"({', '.join(parameters)})"] * rows)
    return f"INSERT INTO {names.format_table(table)} ({columns}) VALUES {values}"  # noqa: S608 - names of the schema
