"""Brings a table of an earlier version up to date: columns and indexes are added, nothing else."""

from sqlalchemy import Column, Engine, Index, Table, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateColumn


def add_what_is_new(engine: Engine, table: Table) -> None:
    """Add the columns and indexes that a table in the database does not have yet.

    A new column is one that may be empty or has a default of the database's, so that a process of
    an earlier version goes on writing rows. Two processes that start at once may both try.

    Args:
        engine: The database.
        table: The table as it is to be; it is there already.
    """
    for column in _missing_columns(engine, table):
        described = CreateColumn(column).compile(dialect=engine.dialect)
        quoted = engine.dialect.identifier_preparer.format_table(table)
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql(f"ALTER TABLE {quoted} ADD COLUMN {described}")
        except DBAPIError:
            if column.name in {other.name for other in _missing_columns(engine, table)}:
                raise
    for index in _missing_indexes(engine, table):
        try:
            index.create(engine)
        except DBAPIError:
            if index in _missing_indexes(engine, table):
                raise


def _missing_columns(engine: Engine, table: Table) -> list[Column[object]]:
    known = {column["name"] for column in inspect(engine).get_columns(table.name)}
    return [column for column in table.columns if column.name not in known]


def _missing_indexes(engine: Engine, table: Table) -> list[Index]:
    known = {index["name"] for index in inspect(engine).get_indexes(table.name)}
    return [index for index in table.indexes if index.name not in known]
