"""Rows of Delta tables in a form in which two readers can be compared: what millrace says of a table as JSON,
and what another reader gives as Python values, become the same text if they are the same.

A manifest is a JSON list of tables:

    {"path": folder, "rows": file of JSON rows, "history": [{"version", "operation", "engine", "epoch"}],
     "protocol": [reader, writer], "change": whether Spark is to change the table}
"""

import base64
import collections
import decimal
import json
import re
import struct


def manifest(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def expected(table, schema):
    """The table's rows as millrace gives them, counted by their canonical text."""
    rows = collections.Counter()
    with open(table["rows"], encoding="utf-8") as f:
        for line in f:
            row = json.loads(line, parse_float=str, parse_int=str)  # -0 is no int
            rows[canonical(row, schema)] += 1
    return rows


def canonical(row, schema):
    """A row, a dict by column, as text. schema is a struct type as Delta's log has it."""
    return json.dumps(value(row, schema), ensure_ascii=False, sort_keys=True)


def value(v, t):
    """A value of a type in its canonical form. Readers give dates as days and points in time as microseconds."""
    if v is None:
        return None
    if isinstance(t, dict):
        return nested(v, t)
    if t in ("byte", "short", "integer", "long"):
        return int(v)
    if t in ("float", "double"):
        return number(v, t)
    if t.startswith("decimal"):
        scale = int(t.rstrip(")").split(",")[1])
        with decimal.localcontext(prec=60):
            return str(decimal.Decimal(str(v)).quantize(decimal.Decimal(1).scaleb(-scale)))
    if t == "binary":
        return v if isinstance(v, str) else base64.b64encode(bytes(v)).decode()
    if t in ("timestamp", "timestamp_ntz"):
        return micros(v) if isinstance(v, str) else v
    if t == "date":
        return days(v) if isinstance(v, str) else v
    return v


def nested(v, t):
    if t["type"] == "struct":
        return [value(v.get(f["name"]), f["type"]) for f in t["fields"]]
    if t["type"] == "array":
        return [value(e, t["elementType"]) for e in v]
    entries = v.items() if isinstance(v, dict) else (e.values() if isinstance(e, dict) else e for e in v)  # Spark: rows
    pairs = [[value(key(k, t["keyType"]), t["keyType"]), value(e, t["valueType"])] for k, e in entries]
    return sorted(pairs, key=json.dumps)


def key(k, t):
    """A map's key: JSON has only strings for it."""
    return {"true": True, "false": False}.get(k, k) if t == "boolean" else k


def number(v, t):
    """A floating point number as its bits, for NaN equals NaN here and 0 differs from -0."""
    f = float(v)
    if f != f:
        return "NaN"
    return struct.pack(">f" if t == "float" else ">d", f).hex()


def days(text):
    """The days since 1970-01-01 of a date, of any year: Python's own dates end with year 9999."""
    year, month, day = re.fullmatch(r"([+-]?\d+)-(\d\d)-(\d\d)", text).groups()
    year, month, day = int(year), int(month), int(day)
    y = year - (month <= 2)  # years that begin in March: the day that leap years have is the last
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return 365 * y + y // 4 - y // 100 + y // 400 + of_year - 719468


def micros(text):
    """The microseconds since 1970-01-01 00:00:00 UTC of a point in time, with Z or without zone."""
    date, time = text.rstrip("Z").split("T")
    hours, minutes, seconds = time.split(":")
    whole, _, fraction = seconds.partition(".")
    of_day = (int(hours) * 60 + int(minutes)) * 60 + int(whole)
    return (days(date) * 86400 + of_day) * 1_000_000 + int(fraction.ljust(6, "0") or 0)


def differences(reader, table, want, got):
    """What a reader's rows differ in, as lines; none if they are the same."""
    lines = []
    for sign, rows in (("-", want - got), ("+", got - want)):
        for text, n in sorted(rows.items())[:5]:
            lines.append(f"{table['path']} by {reader}: {sign} {n} x {text}")
        if len(rows) > 5:
            lines.append(f"{table['path']} by {reader}: {sign} … {len(rows)} rows in all")
    return lines


def history_differences(reader, table, got):
    """got is the reader's history as a list in the form of the manifest's, in any order."""
    def text(entries):
        return [json.dumps(e, sort_keys=True) for e in sorted(entries, key=lambda e: e["version"])]

    want, got = text(table["history"]), text(got)
    if want == got:
        return []
    return [f"{table['path']} by {reader}: history", *(f"  - {w}" for w in want if w not in got), *(f"  + {g}" for g in got if g not in want)]
