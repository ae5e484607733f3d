#!/usr/bin/env bash
# A real Kinesis wire protocol for tests: npm's kinesis-local (kinesis-mock), on loopback. Needs Node and npm.
#
#   kinesis.sh install     fetch the server (once)
#   kinesis.sh start       install if need be, start, wait until ready
#   kinesis.sh stop        shut down; the streams were in memory and are gone
#   kinesis.sh kill        SIGKILL
#   kinesis.sh status      exit 3 if it does not run
#   kinesis.sh env         what AWS's SDKs need, as lines for eval
#
# Environment:
#   MILLRACE_CACHE   the server, shared by all               default: .cache beside this folder
#   KINESIS_HOME     log and pid of this server              default: $MILLRACE_CACHE/kinesis
#   KINESIS_PORT     its port on 127.0.0.1                   default: 4568
#   KINESIS_TLS_PORT its other port, which it must have      default: the one below
set -euo pipefail

version=0.6.2

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
name=kinesis
. "$root/scripts/server.sh"

case "${1:-}" in
  install | start | stop | kill | status | env) [[ $# -eq 1 ]] || usage ;;
  *) usage ;;
esac

cache=$(place "${MILLRACE_CACHE:-$root/.cache}")
home=$(place "${KINESIS_HOME:-$cache/kinesis}")
port=${KINESIS_PORT:-4568}
tls=${KINESIS_TLS_PORT:-$((port - 1))}
server=$cache/kinesis-local-$version
pidfile=$home/kinesis.pid log=$home/kinesis.log

# Whole or not at all: fetched beside its place and moved there. The server listens on all interfaces unless every listen
# of its process is told otherwise, which the file preloaded does.
install() (
  exec 8>"$cache/kinesis.lock"
  flock 8
  [[ ! -d $server ]] || return 0
  tmp=$(mktemp -d "$cache/kinesis-build.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  npm install --silent --no-audit --no-fund --prefix "$tmp" "kinesis-local@$version" >&2 || die "could not fetch kinesis-local $version"
  cat >"$tmp/loopback.cjs" <<'JS'
const { Server } = require('net');
const listen = Server.prototype.listen;
Server.prototype.listen = function (first, ...rest) {
  if (first && typeof first === 'object' && 'port' in first) return listen.call(this, { ...first, host: '127.0.0.1' }, ...rest);
  if (first !== undefined && Number.isInteger(Number(first))) {
    return listen.call(this, { port: Number(first), host: '127.0.0.1' }, ...rest.filter((a) => typeof a === 'function'));
  }
  return listen.call(this, first, ...rest);
};
JS
  chmod 755 "$tmp"
  mv "$tmp" "$server"
)

start() {
  ! running || return 0
  install
  cd "$server/node_modules/kinesis-local" # where its certificate lies
  KINESIS_MOCK_PLAIN_PORT=$port KINESIS_MOCK_TLS_PORT=$tls SHARD_LIMIT=500 LOG_LEVEL=WARN \
    CREATE_STREAM_DURATION=50ms DELETE_STREAM_DURATION=50ms REGISTER_STREAM_CONSUMER_DURATION=50ms DEREGISTER_STREAM_CONSUMER_DURATION=50ms \
    SPLIT_SHARD_DURATION=50ms MERGE_SHARDS_DURATION=50ms UPDATE_SHARD_COUNT_DURATION=50ms \
    setsid nohup node -r "$server/loopback.cjs" main.js >"$log" 2>&1 </dev/null 8>&- &
  echo $! >"$pidfile"
  await "$port" 60
}

case "$1" in
  install) install ;;
  start) start ;;
  stop) end TERM ;;
  kill) end KILL ;;
  status) running || exit 3 ;;
  env) echo "export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_ENDPOINT_URL_KINESIS=http://127.0.0.1:$port" ;;
esac
