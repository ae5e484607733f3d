"""What the pinterest pipeline must make of raw rows, said a second time in plain Python, and checks of
Delta tables against that. Raw files hold one record a line.

    readers.sh clean rows KIND RAW...             the clean rows as JSON lines; what was refused to stderr
    readers.sh clean compare KIND TABLE RAW...    exit 1 unless both readers find exactly these rows
        [--quarantine TABLE --source NAME]        and the refused records in the quarantine table
    readers.sh clean prune TABLE [--skips]        filtered scans, which may go by statistics, give what a
                                                  filter over the whole table gives; --skips: and at least
                                                  one of them skips a file

KIND is pin, geo or user. A row comes more than once where a record was sent more than once; the first
counts. Nothing here is shared with the pipeline, and nothing is clever: one row at a time, the rules as
they stand in its definition.
"""

import argparse
import collections
import datetime
import decimal
import json
import os
import re
import sys

UTC = datetime.timezone.utc


class Refused(Exception):
    """Why a record gives no row: its reason is that of the quarantine table."""

    def __init__(self, reason, detail):
        super().__init__(detail)
        self.reason = reason


class Number(str):
    """A JSON number as it stands in the record."""


def decode(record):
    """A record's object. JSON has no NaN, and UTF-8 no lone surrogates."""

    def constant(name):
        raise ValueError(name)

    try:
        row = json.loads(record.decode("utf-8"), parse_int=Number, parse_float=Number, parse_constant=constant)
    except ValueError as e:
        raise Refused("decode", str(e)) from e
    if not isinstance(row, dict):
        raise Refused("decode", "no object")
    return row


def text(row, name):
    v = row.get(name)
    if v is None:
        return None
    if not isinstance(v, str):
        raise Refused("type", name)
    v = v.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return v or None  # an empty text is none, in every column


def number(row, name):
    v = row.get(name)
    if v is None:
        return None
    try:
        if not isinstance(v, str):
            raise decimal.InvalidOperation
        return decimal.Decimal(v)
    except decimal.InvalidOperation as e:
        raise Refused("type", name) from e


def whole(row, name, required=False):
    n = number(row, name)
    if n is None:
        if required:
            raise Refused("required", name)
        return None
    if n != int(n):
        raise Refused("type", name)
    return int(n)


def double(row, name):
    n = number(row, name)
    return None if n is None else float(n)


def null_if(value, *placeholders):
    return None if value in placeholders else value


def magnitude(value):
    if value is None:
        return None
    m = re.fullmatch(r"([+-]?[0-9]+(?:\.[0-9]+)?)([kKmMbB]?)", value)
    n = decimal.Decimal(m[1]) * {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}[m[2].lower()] if m else None
    if n is None or n != int(n) or not -(2**63) <= n < 2**63:
        raise Refused("parse", value)
    return int(n)


def timestamp(value):
    if value is None:
        return None
    for form in ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y:%m:%d %H:%M:%S"):
        try:
            return datetime.datetime.strptime(value, form).replace(tzinfo=UTC)
        except ValueError:
            pass
    raise Refused("parse", value)


def clean_pin(row):
    location = text(row, "save_location")
    return {
        "ind": whole(row, "index", required=True),
        "unique_id": text(row, "unique_id"),
        "title": null_if(text(row, "title"), "No Title Data Available"),
        "description": null_if(
            text(row, "description"), "No description available Story format", "No description available"
        ),
        "follower_count": magnitude(null_if(text(row, "follower_count"), "User Info Error")),
        "poster_name": null_if(text(row, "poster_name"), "User Info Error"),
        "tag_list": null_if(text(row, "tag_list"), "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e"),
        "is_image_or_video": text(row, "is_image_or_video"),
        "image_src": null_if(text(row, "image_src"), "Image src error.", "Image src error"),
        "save_location": location and location.removeprefix("Local save in "),
        "category": text(row, "category"),
    }


def clean_geo(row):
    return {
        "ind": whole(row, "ind", required=True),
        "country": text(row, "country"),
        "coordinates": [double(row, "latitude"), double(row, "longitude")],
        "timestamp": timestamp(text(row, "timestamp")),
    }


def clean_user(row):
    names = [n for n in (text(row, "first_name"), text(row, "last_name")) if n is not None]
    return {
        "ind": whole(row, "ind", required=True),
        "user_name": " ".join(names),
        "age": whole(row, "age"),
        "date_joined": timestamp(text(row, "date_joined")),
    }


CLEANERS = {"pin": clean_pin, "geo": clean_geo, "user": clean_user}


def clean(kind, files):
    """The clean rows, in order, and for each refused record its reason and bytes."""
    rows, refused = {}, []
    for name in files:
        with open(name, "rb") as f:
            for line in f:
                record = line.removesuffix(b"\n")
                try:
                    row = CLEANERS[kind](decode(record))
                    rows.setdefault(row["ind"], row)
                except Refused as e:
                    refused.append((e.reason, record))
    return list(rows.values()), refused


def as_json(row):
    """A row as one line, the same for equal values whoever read them."""

    def plain(value):
        if isinstance(value, datetime.datetime):
            return value.astimezone(UTC).isoformat()
        return value.hex() if isinstance(value, bytes) else str(value)

    return json.dumps(row, default=plain, ensure_ascii=False)


def read_both(path):
    """The rows of a table by each of the readers."""
    import read_delta
    from deltalake import DeltaTable

    table = DeltaTable(os.path.abspath(path))
    yield "delta-rs", table.to_pyarrow_table().to_pylist()
    duckdb = read_delta.connect().sql(f"SELECT * FROM {read_delta.scan(path)}")
    yield "DuckDB", duckdb.to_arrow_table().to_pylist()


def same(what, want, got):
    """Compares bags of lines and prints what differs."""
    want, got = collections.Counter(want), collections.Counter(got)
    missing, extra = want - got, got - want
    print(f"{what}: {got.total()} rows, {missing.total()} missing, {extra.total()} too many")
    for sign, rows in (("-", missing), ("+", extra)):
        for row in list(rows)[:3]:
            print(f"  {sign} {row[:1000]}")
    return not missing and not extra


def compare(kind, table, files, quarantine, source):
    rows, refused = clean(kind, files)
    good = True
    for reader, found in read_both(table):
        good &= same(f"{table} by {reader}", map(as_json, rows), map(as_json, found))
    if quarantine:
        for reader, found in read_both(quarantine):
            found = [r for r in found if r["source"] == source]
            want = [shown(reason, record) for reason, record in refused]
            got = [shown(r["reason"], r["bytes"]) for r in found]
            good &= same(f"{quarantine}, source {source}, by {reader}", want, got)
    return good


def shown(reason, record):
    """A refused record. One refused after it was decoded is in quarantine as a row, not as its bytes."""
    return f"{reason} {record!r}" if reason != "parse" else reason


def predicates(table):
    """Conditions on each column that is not nested: around values that occur and beyond them, and nulls."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for field in table.schema:
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            continue
        x = pc.field(field.name)
        yield f"{field.name} is null", x.is_null(), lambda c: f"{c} IS NULL", field.name
        yield f"{field.name} is not null", x.is_valid(), lambda c: f"{c} IS NOT NULL", field.name
        values = pc.unique(table[field.name].drop_null()).sort()
        for i in sorted({len(values) * q // 4 for q in range(4)} | {len(values) - 1} if len(values) else ()):
            v = values[i].as_py()
            s, value = sql(v), pa.scalar(v, field.type)
            for sign, expression in (
                ("=", x == value), ("<>", x != value), ("<", x < value), ("<=", x <= value), (">", x > value), (">=", x >= value),
            ):  # fmt: skip
                yield f"{field.name} {sign} {s}", expression, lambda c, sign=sign, s=s: f"{c} {sign} {s}", field.name
            if isinstance(v, str) and v and not set(v[:3]) & set("%_"):
                like = f"LIKE {sql(v[:3] + '%')}"
                yield f"{field.name} {like}", pc.starts_with(x, v[:3]), lambda c, like=like: f"{c} {like}", field.name


def sql(value):
    if isinstance(value, datetime.datetime):
        return f"TIMESTAMPTZ '{value.astimezone(UTC).isoformat()}'"
    if isinstance(value, datetime.date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def prune(path, skips):
    import read_delta
    from deltalake import DeltaTable

    dataset = DeltaTable(os.path.abspath(path)).to_pyarrow_dataset()
    con, whole_table = read_delta.connect(), dataset.to_table()
    con.register("whole", whole_table)
    columns = whole_table.column_names
    files, count, skipped, wrong = len(list(dataset.get_fragments())), 0, 0, 0
    for name, expression, where, column in predicates(whole_table):
        condition = where(read_delta.column(column))
        want = read_delta.summary(con, "whole", columns, where=condition)
        con.register("filtered", dataset.to_table(filter=expression))
        answers = {
            "delta-rs": read_delta.summary(con, "filtered", columns),
            "DuckDB": read_delta.summary(con, read_delta.scan(path), columns, where=condition),
        }
        count += 1
        skipped += files - len(list(dataset.get_fragments(filter=expression)))
        for reader, got in answers.items():
            if got != want:
                wrong += 1
                print(f"{name[:300]}: {got['rows']} rows by {reader}, {want['rows']} without statistics")
    print(f"{path}: {count} conditions on {whole_table.num_rows} rows in {files} files: {wrong} wrong answers, {skipped} files skipped")
    return wrong == 0 and count > 0 and (skipped > 0 or not skips)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = p.add_subparsers(dest="command", required=True)
    c = commands.add_parser("rows")
    c.add_argument("kind", choices=CLEANERS)
    c.add_argument("raw", nargs="+")
    c = commands.add_parser("compare")
    c.add_argument("kind", choices=CLEANERS)
    c.add_argument("table")
    c.add_argument("raw", nargs="+")
    c.add_argument("--quarantine", metavar="TABLE")
    c.add_argument("--source", metavar="NAME")
    c = commands.add_parser("prune")
    c.add_argument("table")
    c.add_argument("--skips", action="store_true")
    a = p.parse_args()

    if a.command == "rows":
        rows, refused = clean(a.kind, a.raw)
        for row in rows:
            print(as_json(row))
        for reason, n in sorted(collections.Counter(reason for reason, _ in refused).items()):
            print(f"refused, {reason}: {n}", file=sys.stderr)
        return 0
    if a.command == "compare":
        return 0 if compare(a.kind, a.table, a.raw, a.quarantine, a.source) else 1
    return 0 if prune(a.table, a.skips) else 1


if __name__ == "__main__":
    sys.exit(main())
