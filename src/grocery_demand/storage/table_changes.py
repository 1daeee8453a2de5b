"""Makes tables, and brings those of an earlier version up to date: nothing is taken away."""

from sqlalchemy import Column, Engine, Index, MetaData, Table, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateColumn

_TRIES = 5
_MADE_BY_ANOTHER = ("already exists", "duplicate column")
"""What SQLite and PostgreSQL say of what was made since one looked."""


def make_tables(engine: Engine, metadata: MetaData) -> None:
    """Make the tables that are missing; add the columns and indexes that others do not have yet.

    A new column is one that may be empty or has a default of the database's, so that a process of
    an earlier version goes on writing rows. Processes that start at once may do the same: whoever
    comes second finds it done and looks again, at most as often as there are things to make.

    Args:
        engine: The database.
        metadata: The tables as they are to be.
    """
    things = sum(1 + len(table.columns) + len(table.indexes) for table in metadata.sorted_tables)
    tries_left = {True: things, False: _TRIES}
    while True:
        try:
            metadata.create_all(engine)
            for table in metadata.sorted_tables:
                _add_what_is_new(engine, table)
        except DBAPIError as error:
            by_another = any(told in str(error.orig) for told in _MADE_BY_ANOTHER)
            tries_left[by_another] -= 1
            if not tries_left[by_another]:
                raise
        else:
            return


def _add_what_is_new(engine: Engine, table: Table) -> None:
    quoted = engine.dialect.identifier_preparer.format_table(table)
    for column in _missing_columns(engine, table):
        described = CreateColumn(column).compile(dialect=engine.dialect)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {quoted} ADD COLUMN {described}")
    for index in _missing_indexes(engine, table):
        index.create(engine)


def _missing_columns(engine: Engine, table: Table) -> list[Column[object]]:
    known = {column["name"] for column in inspect(engine).get_columns(table.name)}
    return [column for column in table.columns if column.name not in known]


def _missing_indexes(engine: Engine, table: Table) -> list[Index]:
    known = {index["name"] for index in inspect(engine).get_indexes(table.name)}
    return [index for index in table.indexes if index.name not in known]
