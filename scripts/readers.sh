#!/usr/bin/env bash
# Other people's Delta readers, to judge the tables that millrace writes: delta-rs (deltalake) and DuckDB,
# whose delta extension is delta-kernel-rs. Needs Python 3.10 or later with venv.
#
#   readers.sh install                       fetch the readers (once)
#   readers.sh read TABLE [--json] [...]     what both readers say of a table; exit 1 if they disagree
#   readers.sh clean COMMAND ...             the naive cleaning of the pinterest rows: rows, compare, prune
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

case "${1:-}" in
  install | read | clean | python) ;;
  *) usage ;;
esac
install
case "$1" in
  read) shift && exec "$venv/bin/python" "$here/read_delta.py" "$@" ;;
  clean) shift && exec "$venv/bin/python" "$here/clean_naive.py" "$@" ;;
  python) shift && exec "$venv/bin/python" "$@" ;;
esac
