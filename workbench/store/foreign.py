"""Rows of another database: a query over a DuckDB file or a PostgreSQL server, read and never written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from workbench.errors import InputError
from workbench.store.connection import HARDENED
from workbench.store.literal import quoted

#: What a connection string of PostgreSQL begins with.
POSTGRES = ("postgres:", "postgresql://", "postgres://")
NAME = "source"
#: A password in a connection string: behind a keyword, or between the user and the @ of an address.
SECRET = re.compile(r"(password\s*=\s*)\S+|(?<=//)([^/@:]*:)[^@/]+(?=@)", re.I)


def is_server(database: str) -> bool:
    """Whether a database is a server's and no file."""
    return database.startswith(POSTGRES)


@contextmanager
def rows(database: str, query: str, rows_at_once: int) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
    """Schema and batches of one SELECT over a database, which is attached read-only and stands in front of names without a schema.

    `database` is the path of a DuckDB file, or `postgres:` and a connection string of libpq; passwords belong into PGPASSWORD or ~/.pgpass.
    Raises InputError for a database that cannot be opened, a statement that is no single SELECT, and what DuckDB says of it.
    """
    asked = f"read {query.strip()[:60]!r} from {shown(database)}"
    connection = duckdb.connect(":memory:", config={**HARDENED, "enable_external_access": "true"})
    try:
        single(connection, query, asked)
        attach(connection, database, asked)
        try:
            connection.execute("SET lock_configuration = true")
            relation = connection.sql(query)
            assert relation is not None  # one SELECT gives rows
            reader = relation.to_arrow_reader(rows_at_once)
        except duckdb.Error as error:
            raise InputError(asked, str(error).splitlines()[0], "correct the query; `SHOW ALL TABLES` names what is there") from None
        yield reader.schema, said(reader, asked)
    finally:
        connection.close()


def said(reader: pa.RecordBatchReader, asked: str) -> Iterator[pa.RecordBatch]:
    """The batches; what goes wrong on the way as one InputError that can pass."""
    try:
        yield from reader
    except (pa.ArrowException, OSError) as error:
        raise InputError(asked, str(error).splitlines()[0], "try again", retryable=True) from None


def single(connection: duckdb.DuckDBPyConnection, query: str, asked: str) -> None:
    """Refuses what is not one statement that reads."""
    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise InputError(asked, str(error).splitlines()[0], "correct the query") from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise InputError(asked, f"{len(statements)} statements, or one that does not read", "give one SELECT")


def attach(connection: duckdb.DuckDBPyConnection, database: str, asked: str) -> None:
    """Attaches the database read-only under the name `source`."""
    place, kind = database, ""
    if is_server(database):
        if SECRET.search(database):
            raise InputError(asked, "a password in the declaration", "take it out: set PGPASSWORD, or write it into ~/.pgpass")
        place, kind = database.removeprefix("postgres:") if not database.startswith("postgres://") else database, "TYPE postgres, "
        try:
            connection.execute("LOAD postgres")
        except duckdb.Error as error:
            remedy = "install it once where there is a network: python -c \"import duckdb; duckdb.execute('INSTALL postgres')\""
            raise InputError(asked, f"no DuckDB extension for PostgreSQL ({str(error).splitlines()[0]})", remedy) from None
    elif not Path(place).is_file():
        raise InputError(asked, "no such file", "check the path of the database")
    try:
        connection.execute(f"ATTACH {quoted(place)} AS {NAME} ({kind}READ_ONLY)")
        connection.execute(f"USE {NAME}")
    except duckdb.Error as error:
        message = str(error).splitlines()[0]
        busy = "lock" in message or "connect" in message.lower()
        if is_server(database):
            remedy = "check the connection string (host, port, dbname, user), and that the server takes connections from here"
        elif busy:
            remedy = "wait until the process that writes it ends"
        else:
            remedy = "give the path of a DuckDB file, or postgres: and a connection string"
        raise InputError(asked, message, remedy, retryable=busy) from None


def shown(database: str) -> str:
    """A database as it may be shown: without a password."""
    return SECRET.sub(lambda found: f"{found[1] or found[2]}…", database)
