"""Reads a whole read model, to compare it with another one."""

from typing import Any

from sqlalchemy import Engine, select

from projections.read_model import schema

Rows = dict[str, list[tuple[Any, ...]]]


def rows_of(engine: Engine) -> Rows:
    """Return all rows of all tables, in an order independent of their insertion."""
    with engine.connect() as connection:
        found = {table.name: connection.execute(select(table)).all() for table in schema.metadata.sorted_tables}
    return {name.removeprefix(schema.PREFIX): sorted(map(tuple, rows), key=repr) for name, rows in found.items()}
