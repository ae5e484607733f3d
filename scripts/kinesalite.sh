#!/usr/bin/env bash
# A Kinesis for tests of load: kinesalite, on loopback. It is quick, and older than much of the protocol: it has no
# UpdateShardCount and no fan-out, and the last answer of a shard does not name its children. Needs Node and npm.
# Streams live in memory: what ends the server drops them.
#
#   kinesalite.sh install          fetch the server (once)
#   kinesalite.sh start            install if need be, start, wait until ready
#   kinesalite.sh stop             shut down in good order
#   kinesalite.sh kill             SIGKILL
#   kinesalite.sh status           exit 3 if it does not run
#   kinesalite.sh env              what AWS's SDKs need, as lines for eval
#
# Environment:
#   MILLRACE_CACHE    the server, shared by all             default: .cache beside this folder
#   KINESALITE_HOME   log and pid of this server            default: $MILLRACE_CACHE/kinesalite
#   KINESALITE_PORT   its port on 127.0.0.1, plain HTTP     default: 4566
set -euo pipefail

version=3.3.3
took=50 # ms, of what Amazon's takes seconds for, such as a split

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
name=kinesalite
. "$root/scripts/server.sh"

case "${1:-}" in
  install | start | stop | kill | status | env) [[ $# -eq 1 ]] || usage ;;
  *) usage ;;
esac

cache=$(place "${MILLRACE_CACHE:-$root/.cache}")
home=$(place "${KINESALITE_HOME:-$cache/kinesalite}")
port=${KINESALITE_PORT:-4566}
server=$cache/kinesalite-$version
pidfile=$home/kinesalite.pid log=$home/kinesalite.log

# Whole or not at all: fetched beside its place and moved there.
install() (
  exec 8>"$cache/kinesalite.lock"
  flock 8
  [[ ! -d $server ]] || return 0
  tmp=$(mktemp -d "$cache/kinesalite.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$tmp" "kinesalite@$version" >&2 || die "could not fetch kinesalite $version"
  mv "$tmp" "$server"
)

start() {
  ! running || return 0
  install
  # Its own command would listen on every interface.
  cat >"$home/serve.cjs" <<JS
const kinesalite = require('$server/node_modules/kinesalite');
kinesalite({ createStreamMs: $took, deleteStreamMs: $took, updateStreamMs: $took, shardLimit: 500 }).listen($port, '127.0.0.1', () => console.log('listening'));
JS
  setsid nohup node "$home/serve.cjs" >"$log" 2>&1 </dev/null 8>&- &
  echo $! >"$pidfile"
  await "$port" 30
}

case "$1" in
  install) install ;;
  start) start ;;
  stop) end TERM ;;
  kill) end KILL ;;
  status) running || exit 3 ;;
  env) echo "export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_ENDPOINT_URL_KINESIS=http://127.0.0.1:$port" ;;
esac
