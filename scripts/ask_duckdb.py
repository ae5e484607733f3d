"""DuckDB, for a test that asks it much: one process for all questions.

    readers.sh python ask_duckdb.py

Each line of the input is a JSON string with a statement, each line of the output the answer to it as JSON:
{"rows": [[value, ...], ...]} or {"error": "what DuckDB says"}. Doubles and floats are strings, which read back
the same ("0.1", "-0.0", "nan", "inf"), binaries are strings of hexadecimal digits; whole numbers, bools, strings, arrays
and nulls are JSON's own. Nothing else is to be asked for: a time is asked for as a number. The optimizer is off: it
computes some things earlier, or not at all.
"""

import json
import sys

import duckdb


def plain(value):
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def main():
    connection = duckdb.connect()
    connection.execute("PRAGMA disable_optimizer")
    connection.execute("SET threads = 1")  # tables are small
    for line in sys.stdin:
        try:
            rows = connection.execute(json.loads(line)).fetchall()
            answer = {"rows": [[plain(v) for v in row] for row in rows]}
        except duckdb.Error as e:
            answer = {"error": str(e)}
        print(json.dumps(answer), flush=True)


main()
