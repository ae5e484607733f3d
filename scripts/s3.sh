#!/usr/bin/env bash
# A real S3 server for tests and benchmarks: versitygw over a folder, on loopback. Needs Go.
#
#   s3.sh install          build the server (once)
#   s3.sh start            install if need be, make the bucket, start, wait until ready
#   s3.sh stop             shut down in good order
#   s3.sh kill             SIGKILL; the data stay, and start goes on with them
#   s3.sh status           exit 3 if it does not run
#   s3.sh env              what AWS's SDKs need, as lines for eval
#   s3.sh clean            stop, then drop the data (the server stays)
#
# Environment:
#   MILLRACE_CACHE   the server, shared by all               default: .cache beside this folder
#   S3_HOME          data, log and pid of this server        default: $MILLRACE_CACHE/s3
#   S3_PORT          its port on 127.0.0.1                   default: 7070
#   S3_BUCKET        the bucket that start makes             default: lake
set -euo pipefail

version=v1.8.0 # not older: those check whether an object is there, and then write it

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
name=s3
. "$root/scripts/server.sh"

case "${1:-}" in
  install | start | stop | kill | status | env | clean) [[ $# -eq 1 ]] || usage ;;
  *) usage ;;
esac

cache=$(place "${MILLRACE_CACHE:-$root/.cache}")
home=$(place "${S3_HOME:-$cache/s3}")
port=${S3_PORT:-7070}
bucket=${S3_BUCKET:-lake}
server=$cache/versitygw-$version
pidfile=$home/s3.pid log=$home/s3.log
key=millrace secret=millrace-secret region=us-east-1

# Whole or not at all: built beside its place and moved there.
install() (
  exec 8>"$cache/s3.lock"
  flock 8
  [[ ! -x $server ]] || return 0
  tmp=$(mktemp -d "$cache/s3-build.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  GOBIN=$tmp CGO_ENABLED=0 go install "github.com/versity/versitygw/cmd/versitygw@$version" >&2 || die "could not build versitygw $version"
  mv "$tmp/versitygw" "$server"
)

start() {
  ! running || return 0
  install
  mkdir -p "$home/data/$bucket"
  ROOT_ACCESS_KEY=$key ROOT_SECRET_KEY=$secret setsid nohup "$server" --port "127.0.0.1:$port" --region "$region" --quiet \
    posix "$home/data" >"$log" 2>&1 </dev/null 8>&- &
  echo $! >"$pidfile"
  await "$port" 10
}

case "$1" in
  install) install ;;
  start) start ;;
  stop) end TERM ;;
  kill) end KILL ;;
  status) running || exit 3 ;;
  env)
    echo "export AWS_ACCESS_KEY_ID=$key AWS_SECRET_ACCESS_KEY=$secret AWS_REGION=$region AWS_ENDPOINT_URL_S3=http://127.0.0.1:$port"
    ;;
  clean) end TERM && rm -rf "$home/data" ;;
esac
