#!/usr/bin/env bash
# A Kinesis for tests that behaves as Amazon's does: kinesis-local (kinesis-mock), on loopback. Needs Node and npm.
# Streams live in memory: what ends the server drops them.
#
#   kinesis.sh install          fetch the server (once)
#   kinesis.sh start            install if need be, start, wait until ready
#   kinesis.sh stop             shut down in good order
#   kinesis.sh kill             SIGKILL
#   kinesis.sh status           exit 3 if it does not run
#   kinesis.sh env              what AWS's SDKs need, as lines for eval
#
# Environment:
#   MILLRACE_CACHE     the server, shared by all                 default: .cache beside this folder
#   KINESIS_HOME       log and pid of this server                default: $MILLRACE_CACHE/kinesis
#   KINESIS_PORT       its port on 127.0.0.1, plain HTTP         default: 4568
#   KINESIS_TLS_PORT   the one of TLS, which it has as well      default: one less
set -euo pipefail

version=0.6.2
took=50ms # what Amazon's takes seconds for, such as a split

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
die() { echo "kinesis.sh: $*" >&2; exit 1; }

case "${1:-}" in
  install | start | stop | kill | status | env) [[ $# -eq 1 ]] || usage ;;
  *) usage ;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${MILLRACE_CACHE:-$root/.cache}
home=${KINESIS_HOME:-$cache/kinesis}
port=${KINESIS_PORT:-4568}
tls=${KINESIS_TLS_PORT:-$((port - 1))}
mkdir -p "$cache" "$home"
cache=$(cd "$cache" && pwd)
home=$(cd "$home" && pwd)
server=$cache/kinesis-local-$version
pidfile=$home/kinesis.pid

# Whole or not at all: fetched beside its place and moved there.
install() (
  exec 8>"$cache/kinesis-local.lock"
  flock 8
  [[ ! -d $server ]] || return 0
  tmp=$(mktemp -d "$cache/kinesis-local.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$tmp" "kinesis-local@$version" >&2 || die "could not fetch kinesis-local $version"
  # It would listen on every interface: with this loaded before, any server of the process listens on loopback.
  cat >"$tmp/loopback.cjs" <<'JS'
const net = require('net');
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (first, ...rest) {
  if (first !== null && typeof first === 'object') {
    return listen.call(this, { ...first, host: '127.0.0.1' }, ...rest);
  }
  if (typeof rest[0] === 'string') rest.shift();
  return listen.call(this, Number(first), '127.0.0.1', ...rest);
};
JS
  mv "$tmp" "$server"
)

running() { [[ -s $pidfile ]] && kill -0 "$(<"$pidfile")" 2>/dev/null; }

start() {
  ! running || return 0
  install
  cd "$server/node_modules/kinesis-local" # it looks for its certificate here
  KINESIS_MOCK_PLAIN_PORT=$port KINESIS_MOCK_TLS_PORT=$tls SHARD_LIMIT=500 LOG_LEVEL=WARN \
    CREATE_STREAM_DURATION=$took DELETE_STREAM_DURATION=$took SPLIT_SHARD_DURATION=$took MERGE_SHARDS_DURATION=$took \
    UPDATE_SHARD_COUNT_DURATION=$took REGISTER_STREAM_CONSUMER_DURATION=$took DEREGISTER_STREAM_CONSUMER_DURATION=$took \
    setsid nohup node -r "$server/loopback.cjs" main.js >"$home/kinesis.log" 2>&1 </dev/null 8>&- &
  echo $! >"$pidfile"
  for _ in {1..300}; do
    running || { tail -n 5 "$home/kinesis.log" >&2; die "the server ended"; }
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 0; fi
    sleep 0.1
  done
  die "not listening after 30 s, see $home/kinesis.log"
}

# end sends a signal and waits until the server is gone.
end() {
  running || { rm -f "$pidfile"; return 0; }
  local pid
  pid=$(<"$pidfile")
  kill "-$1" "$pid"
  for _ in {1..50}; do
    kill -0 "$pid" 2>/dev/null || { rm -f "$pidfile"; return 0; }
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$pidfile"
}

case "$1" in
  install) install ;;
  start) start ;;
  stop) end TERM ;;
  kill) end KILL ;;
  status) running || exit 3 ;;
  env) echo "export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_ENDPOINT_URL_KINESIS=http://127.0.0.1:$port" ;;
esac
