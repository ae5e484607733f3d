# For the scripts beside it that run one server on loopback, which source it. They set name, and then pidfile, where the
# server's pid is, and log, where what it prints goes.

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
die() { echo "$name.sh: $*" >&2; exit 1; }

# place makes a folder and prints its whole path.
place() { mkdir -p "$1" && cd "$1" && pwd; }

running() { [[ -s $pidfile ]] && kill -0 "$(<"$pidfile")" 2>/dev/null; }

# await waits so many seconds for the server to listen on a port.
await() {
  local i
  for ((i = 0; i < 10 * $2; i++)); do
    running || { tail -n 5 "$log" >&2; die "the server ended"; }
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return 0; fi
    sleep 0.1
  done
  die "not listening after $2 s, see $log"
}

# end sends a signal and waits until the server is gone, ten seconds at most.
end() {
  running || { rm -f "$pidfile"; return 0; }
  local pid
  pid=$(<"$pidfile")
  kill "-$1" "$pid"
  for _ in {1..100}; do
    kill -0 "$pid" 2>/dev/null || { rm -f "$pidfile"; return 0; }
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$pidfile"
}
