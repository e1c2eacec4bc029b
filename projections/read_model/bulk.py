"""Reads and inserts many rows at once.

SQLAlchemy processes each row by itself, which takes longer than the database needs for it. And SQLite's module hands
over the interpreter's lock at every row that it reads, and at every statement: a batch would wait for it row by row
while the service is busy.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, DateTime, Dialect, LargeBinary, Table, Text, func, select

from projections.read_model.errors import decode

ROWS = 50
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


def insert_all(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; a column without a value is null."""
    dialect = connection.dialect
    stored = list(zip(*(_stored(column, rows, dialect) for column in table.columns), strict=True))
    if dialect.name != "sqlite" and stored:
        # The drivers of servers send many rows at once by themselves.
        connection.exec_driver_sql(_statement(table, dialect, 1), stored)
        return
    for start in range(0, len(stored), ROWS):
        some = stored[start : start + ROWS]
        connection.exec_driver_sql(_statement(table, dialect, len(some)), tuple(chain.from_iterable(some)))


def _stored(column: Column[Any], rows: Sequence[Row], dialect: Dialect) -> Iterable[object]:
    """Return the values of a column as the driver needs them."""
    values = [row.get(column.name) for row in rows]
    if dialect.name == "sqlite" and isinstance(column.type, DateTime):
        # As SQLAlchemy does it, which takes several times as long.
        return [None if time is None else time.isoformat(" ", "microseconds") for time in values]
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    return values if process is None else map(process, values)


def _statement(table: Table, dialect: Dialect, rows: int) -> str:
    names = dialect.identifier_preparer
    parameters = ["?" if dialect.paramstyle == "qmark" else "%s"] * len(table.columns)
    columns = ", ".join(names.format_column(column) for column in table.columns)
    values = ", ".join([f"({', '.join(parameters)})"] * rows)
    return f"INSERT INTO {names.format_table(table)} ({columns}) VALUES {values}"  # noqa: S608 - names of the schema
