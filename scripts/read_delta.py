"""Opens a Delta table with two readers that share no code with millrace, deltalake (delta-rs) and DuckDB
(delta-kernel-rs), and prints as JSON what they say of it. Exit 1 if they disagree.

    readers.sh read TABLE [--json] [--distinct COLUMN] [--where SQL]

TABLE is a folder. --json prints one line. The fingerprint is a hash of all rows whatever their order, the
same for tables of equal rows and column names and types.
"""

import argparse
import glob
import json
import os
import sys

import duckdb
import duckdb_extension_delta
import pyarrow as pa
from deltalake import DeltaTable


def connect():
    """A DuckDB that reads Delta tables. The extension lies in the wheel: nothing is fetched."""
    con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    folder = os.path.dirname(duckdb_extension_delta.__file__)
    [extension] = glob.glob(f"{folder}/extensions/v{duckdb.__version__}/delta.duckdb_extension*")
    con.execute(f"LOAD '{extension}'")
    con.execute("SET TimeZone = 'UTC'")
    return con


def scan(path):
    """The table as DuckDB names it in SQL."""
    return "delta_scan(" + literal(os.path.abspath(path)) + ")"


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def column(name):
    return '"' + name.replace('"', '""') + '"'


def summary(con, relation, columns, distinct=None, where="true"):
    """Rows, distinct values of a column and fingerprint of what a relation of SQL holds."""
    names = ", ".join(column(c) for c in sorted(columns))
    counted = f"count(distinct {column(distinct)})" if distinct else "null"
    # A sum of hashes, not an exclusive or: a row that is there twice must show.
    sql = f"SELECT count(*), {counted}, sum(hash({names})::HUGEINT) FROM {relation} WHERE {where}"
    rows, values, fingerprint = con.execute(sql).fetchone()
    found = {"rows": rows, "fingerprint": f"{(fingerprint or 0) % 2**64:016x}"}
    return found | ({"distinct": values} if distinct else {})


def log_rows(table, con):
    """Rows by the statistics in the log, or None if a file has none."""
    adds = pa.table(table.get_add_actions(flatten=True))
    if "num_records" not in adds.column_names:
        return None if adds.num_rows else 0
    counts = adds["num_records"].to_pylist()
    return None if None in counts else sum(counts)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("table")
    p.add_argument("--json", action="store_true", help="one line")
    p.add_argument("--distinct", metavar="COLUMN", help="count this column's distinct values")
    p.add_argument("--where", metavar="SQL", default="true", help="look at these rows only")
    a = p.parse_args()

    con, table = connect(), DeltaTable(os.path.abspath(a.table))
    con.register("rs", table.to_pyarrow_dataset())
    columns = [f.name for f in table.schema().fields]
    by_rs = summary(con, "rs", columns, a.distinct, a.where)
    by_duckdb = summary(con, scan(a.table), columns, a.distinct, a.where)
    by_log = log_rows(table, con)
    files = [f.removeprefix("file://") for f in table.file_uris()]
    protocol = table.protocol()
    agree = by_rs == by_duckdb and (a.where != "true" or by_log in (None, by_rs["rows"]))
    out = by_rs | {
        "table": os.path.abspath(a.table),
        "version": table.version(),
        "files": len(files),
        "bytes": sum(os.path.getsize(f) for f in files),
        "schema": json.loads(table.schema().to_json())["fields"],
        "partition_by": table.metadata().partition_columns,
        "configuration": table.metadata().configuration,
        "protocol": [protocol.min_reader_version, protocol.min_writer_version],
        "rows_by_log": by_log,
        "agree": agree,
    }
    if by_rs != by_duckdb:
        out["duckdb"] = by_duckdb
    print(json.dumps(out, ensure_ascii=False, indent=None if a.json else 2))
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
