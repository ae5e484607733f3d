#!/usr/bin/env bash
# Other people's Delta readers, to judge the tables that millrace writes: delta-rs (deltalake), DuckDB, whose
# delta extension is delta-kernel-rs, and Spark with delta-spark. Needs Python 3.10 or later with venv; for
# Spark also Java 17 and Maven.
#
#   readers.sh install                       fetch delta-rs and DuckDB (once)
#   readers.sh install-spark                 fetch Spark (once, 600 MB)
#   readers.sh read TABLE [--json] [...]     what both readers say of a table; exit 1 if they disagree
#   readers.sh clean COMMAND ...             the naive cleaning of the pinterest rows: rows, compare, prune
#   readers.sh judge MANIFEST                rows and history of many tables by delta-rs and DuckDB: judge_lake.py
#   readers.sh judge-spark MANIFEST          the same by Spark, which then changes some of them: judge_spark.py
#   readers.sh python ARGS...                the readers' Python, for checks of one's own
#
# Environment:
#   MILLRACE_CACHE   where everything is kept   default: .cache beside this folder
set -euo pipefail

# DuckDB is held at the version that its delta extension's wheel is built for. The wheel holds the extension
# itself, so that DuckDB need not fetch it.
packages=(deltalake==1.6.6 pyarrow==26.0.1 duckdb==1.5.5 duckdb-extension-delta==1.5.5)

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${MILLRACE_CACHE:-$here/../.cache}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
venv=$cache/readers
stamp="${packages[*]}"
spark=$cache/spark
spark_version=4.2.0
delta_version=4.4.0
export PYTHONDONTWRITEBYTECODE=1 # the scripts lie in the project

# Whole or not at all: the stamp is written last, and other packages are another stamp.
install() (
  exec 8>"$cache/readers.lock"
  flock 8
  [[ ! -s $venv/stamp || $(<"$venv/stamp") != "$stamp" ]] || return 0
  rm -rf "$venv"
  python3 -m venv "$venv" >&2
  "$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" >&2
  echo "$stamp" >"$venv/stamp"
)

# pyspark brings Spark's own jars; delta-spark's and what it needs beside them come by Maven. Of a jar that
# pyspark has a second one, of another version, would break it.
install_spark() (
  local want="$spark_version $delta_version" tmp jar name
  exec 8>"$cache/spark.lock"
  flock 8
  [[ ! -s $spark/stamp || $(<"$spark/stamp") != "$want" ]] || return 0
  rm -rf "$spark"
  python3 -m venv "$spark" >&2
  "$spark/bin/pip" install --quiet --disable-pip-version-check "pyspark==$spark_version" >&2
  tmp=$(mktemp -d "$cache/spark-jars.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  cat >"$tmp/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>spark-jars</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>io.delta</groupId><artifactId>delta-spark_4.2_2.13</artifactId><version>$delta_version</version></dependency>
  </dependencies>
</project>
POM
  mvn -B -q -f "$tmp/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$tmp/jars" >&2
  for jar in "$tmp"/jars/*.jar; do
    name=$(basename "$jar" | sed -E 's/-[0-9][0-9A-Za-z.-]*\.jar$//')
    if compgen -G "$spark/lib/python3*/site-packages/pyspark/jars/$name-[0-9]*.jar" >/dev/null; then rm "$jar"; fi
  done
  mv "$tmp/jars" "$spark/jars"
  echo "$want" >"$spark/stamp"
)

case "${1:-}" in
  install | read | clean | judge | python) install ;;
  install-spark | judge-spark) install_spark ;;
  *) usage ;;
esac
case "$1" in
  read) shift && exec "$venv/bin/python" "$here/read_delta.py" "$@" ;;
  clean) shift && exec "$venv/bin/python" "$here/clean_naive.py" "$@" ;;
  judge) shift && exec "$venv/bin/python" "$here/judge_lake.py" "$@" ;;
  judge-spark)
    shift
    # The process's own zone is what Spark gives times to Python in.
    SPARK_JARS=$spark/jars SPARK_LOCAL_IP=127.0.0.1 TZ=UTC exec "$spark/bin/python" "$here/judge_spark.py" "$@"
    ;;
  python) shift && exec "$venv/bin/python" "$@" ;;
esac
