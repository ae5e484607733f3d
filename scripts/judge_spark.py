"""Opens every table of a manifest (lake_rows.py) with Spark and delta-spark, in one process, and compares rows,
history and protocol with what millrace says of them. Tables with "change" it then appends their own rows to,
and compacts; no newer table feature is switched on by that. Exit 1 if anything differs.

    readers.sh judge-spark MANIFEST
"""

import collections
import json
import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

import lake_rows


def session():
    return (
        SparkSession.builder.master("local[2]").appName("judge")
        .config("spark.driver.memory", "2g").config("spark.driver.extraClassPath", os.environ["SPARK_JARS"] + "/*")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "2")
        .config("spark.databricks.delta.snapshotPartitions", "2")
        .config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def plain(c, t):
    """A column with whole numbers in the place of dates and times, of which Python has fewer than tables."""
    if isinstance(t, T.TimestampType):
        return F.unix_micros(c)
    if isinstance(t, T.TimestampNTZType):
        return F.unix_micros(c.cast("timestamp"))
    if isinstance(t, T.DateType):
        return F.unix_date(c)
    if isinstance(t, T.ArrayType):
        return F.transform(c, lambda e: plain(e, t.elementType))
    if isinstance(t, T.StructType):
        return F.when(c.isNotNull(), F.struct(*[plain(c.getField(f.name), f.dataType).alias(f.name) for f in t.fields]))
    if isinstance(t, T.MapType):
        return F.transform(F.map_entries(c), lambda e: F.struct(plain(e["key"], t.keyType), plain(e["value"], t.valueType)))
    return c


def spark_rows(spark, path, schema):
    rows = collections.Counter()
    table = spark.read.format("delta").load(path)
    columns = [plain(table[quoted(f.name)], f.dataType).alias(f.name) for f in table.schema.fields]
    for row in table.select(*columns).toLocalIterator():
        rows[lake_rows.canonical(row.asDict(recursive=True), schema)] += 1
    return rows


def history(spark, path):
    return [
        {
            "version": e["version"], "operation": e["operation"], "engine": e["engineInfo"] or "",
            "epoch": (e["operationParameters"] or {}).get("epochId", ""),
        }
        for e in spark.sql(f"DESCRIBE HISTORY delta.`{path}`").collect()
    ]


def protocol(spark, path):
    d = spark.sql(f"DESCRIBE DETAIL delta.`{path}`").collect()[0]
    return [d["minReaderVersion"], d["minWriterVersion"]]


def judge(spark, t):
    path = t["path"]
    schema = json.loads(spark.read.format("delta").load(path).schema.json())
    want = lake_rows.expected(t, schema)
    found = lake_rows.differences("Spark", t, want, spark_rows(spark, path, schema))
    found += lake_rows.history_differences("Spark", t, history(spark, path))
    if protocol(spark, path) != t["protocol"]:
        found.append(f"{path} by Spark: protocol {protocol(spark, path)}")
    if t["change"]:
        spark.read.format("delta").load(path).write.format("delta").mode("append").save(path)
        spark.sql(f"OPTIMIZE delta.`{path}`").collect()
        twice = collections.Counter({k: 2 * n for k, n in want.items()})
        found += lake_rows.differences("Spark after its own append", t, twice, spark_rows(spark, path, schema))
        if protocol(spark, path) != t["protocol"]:
            found.append(f"{path}: Spark changed the protocol to {protocol(spark, path)}")
    return found, sum(want.values())


def main():
    spark = session()
    spark.sparkContext.setLogLevel("ERROR")
    tables, found, total = lake_rows.manifest(sys.argv[1]), [], 0
    for t in tables:
        try:
            lines, rows = judge(spark, t)
            total += rows
        except Exception as e:  # one table that can't be read says nothing of the others
            lines = [f"{t['path']}: {type(e).__name__}: {str(e)[:2000]}"]
        found += lines
    print("\n".join(found) or f"{len(tables)} tables, {total} rows: Spark {spark.version} agrees with millrace")
    spark.stop()
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
