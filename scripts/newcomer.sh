#!/usr/bin/env bash
# A newcomer's minute: does in a fresh clone of HEAD what the README says, as it is written there, and checks
# how the commands end and what they print. Every shell block of the README is run but go test, which .ci/run
# runs by itself, and every millrace command that its text names, its definition, and what demo says to try
# next. demo runs again where it was, and is killed with -9 in between: the tables must not show it.
# Needs Linux, bash 5, git and Go. Nobody's broker: that of demo --keep serves for the README's definition.
#
#   newcomer.sh     exit 1 and the reason if anything is not as the README says
set -euo pipefail
set -m # jobs in process groups of their own: go run and what it runs are stopped at once

within=10 # seconds that demo takes at most on two cores that have nothing else to do
bound=30  # seconds after which this fails: other work may slow the machine down
patience=60

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
[[ $# -eq 0 ]] || usage

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
clone=$work/millrace
out=$work/out err=$work/err
unset BROKERS USER_ID LAKE COMMIT # the README's definitions would take them

stop_jobs() {
  local pid
  for pid in $(jobs -p); do kill -KILL -- "-$pid" 2>/dev/null || true; done
}
trap 'stop_jobs; rm -rf "$work"' EXIT

fail() {
  echo "newcomer.sh: $*" >&2
  exit 1
}

# The end of what a command printed, for a failure.
shown() {
  [[ $# -gt 0 ]] || set -- "$out" "$err"
  printf 'it printed:\n%s' "$(tail -qn 40 "$@" | cut -c1-200)"
}

# Runs a command line as it is written. It must end with 0, or with the exit code given.
run() {
  local line=$1 want=${2:-0} code=0
  echo "\$ $line"
  bash -c "$line" >"$out" 2>"$err" </dev/null || code=$?
  [[ $code -eq $want ]] || fail "$line: exit code $code, expected $want; $(shown)"
}

# Starts a command line beside us; $! is its process group.
start() {
  echo "\$ $1 &"
  bash -c "exec $1" >"$2" 2>"$2.err" </dev/null &
}

# Ends what start began, as Ctrl-C does; it must end with 0. go run would itself end with 1 at that signal,
# whatever the program does, so the program alone gets it.
interrupt() {
  local code=0 child
  child=$(cat "/proc/$1"/task/*/children)
  kill -INT ${child:-$1}
  await "$2 ends after SIGINT" ended "$1"
  wait "$1" || code=$?
  [[ $code -eq 0 ]] || fail "$2: exit code $code after SIGINT, expected 0; $(shown "$3" "$3.err")"
}

prints() {
  grep -qE -- "$1" "$out" || fail "expected a line like \"$1\"; $(shown)"
}

# Waits until a command succeeds.
await() {
  local what=$1 until=$((SECONDS + patience))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || fail "waited $patience s: $what; $(shown)"
    sleep 0.02
  done
}

ended() { [[ ! -d /proc/$1 || $(awk '{ print $3 }' "/proc/$1/stat") == Z ]]; }

# What the README has in fenced blocks of a language.
blocks() { awk -v fence="\`\`\`$1" '$0 == fence { on = 1; next } /^```/ { on = 0 } on' README.md; }

number() { tr -d ', ' <<<"$1"; }

lake=millrace-demo/lake # ./millrace-demo/lake, as the README says
user=0e8c5a5fa275
tables=("${user}_pin_table" "${user}_geo_table" "${user}_user_table")

# Rows of a table; a key that it has twice is a failure.
rows() {
  millrace table read "$lake/$1" --columns ind --json --limit 0 | sort >"$work/keys"
  local twice
  twice=$(uniq -d "$work/keys" | wc -l)
  [[ $twice -eq 0 ]] || fail "table $1: $twice of $(wc -l <"$work/keys") keys are there more than once"
  wc -l <"$work/keys"
}

version() { millrace table show "$lake/$1" | awk '$1 == "version" { print $2 }'; }

# What demo printed last: in the ledger, what came in is what went out and what was left out; the tables have
# the rows that it counts, and more of them than before.
check_demo() {
  prints '^Every record is accounted for'
  awk '
    $1 ~ /^(clean_)?(pins|geo|users)$/ && NF == 7 {
      gsub(",", "")
      if ($2 != $3 + $4 + $5 + $6 + $7) { print "does not add up: " $0; exit }
      if ($2 == 0) { print "nothing came in: " $0; exit }
      lines++
    }
    END { if (lines != 6) print lines " lines of the ledger, expected 6" }' "$out" >"$work/wrong"
  [[ ! -s $work/wrong ]] || fail "the ledger: $(<"$work/wrong"); $(shown)"
  local table stream counted now
  for table in "${tables[@]}"; do
    prints "^$table  "
    now=$(rows "$table")
    stream=clean_${table#*_}
    stream=${stream%_table}
    [[ $stream == clean_geo ]] || stream+=s
    counted=$(number "$(awk -v s="$stream" '$1 == s { print $3 }' "$out")")
    [[ $now -eq $counted ]] || fail "table $table: $now rows, the ledger says $counted; $(shown)"
    ((now > ${before[$table]:-0})) || fail "table $table: $now rows, before this run there were ${before[$table]}"
    before[$table]=$now
  done
  prints '^Some rows of '
  prints '^Refused, and kept in '
  prints '^ +[0-9,]+  required +users +ind '
  prints '^ +[0-9,]+  decode '
  prints '^Try next:$'
  echo "  ${before[${tables[0]}]} pins, ${before[${tables[1]}]} places, ${before[${tables[2]}]} users, none twice"
}
declare -A before=()

# The demo as the README has it, which ends with the same tables and more rows.
timed_demo() {
  local began=$EPOCHREALTIME
  run "$demo"
  took=$(((${EPOCHREALTIME/./} - ${began/./}) / 10000))
  took=$((took / 100)).$(printf %02d $((took % 100)))
  check_demo
}

# Kills a demo with -9 once a moment in its life has come, and runs it again.
killed_demo() {
  local line=$1 what=$2 code=0
  shift 2
  start "$line" "$work/killed"
  local pid=$!
  await "$what" "$@"
  kill -KILL -- "-$pid"
  { wait "$pid" || code=$?; } 2>/dev/null
  [[ $code -eq 137 ]] || fail "the demo ended with $code before it was killed: too late to show anything"
  echo "  killed with -9: $what"
  run "$demo"
  check_demo
}

# The ports of a process on loopback, but for one.
other_ports() {
  local inodes hex
  inodes=$(find "/proc/$1/fd" -lname 'socket:*' -printf '%l ' | tr -dc '0-9 ')
  for hex in $(awk -v inodes="$inodes" 'BEGIN { split(inodes, all, " "); for (i in all) mine[all[i]] }
      $4 == "0A" && $10 in mine { sub(".*:", "", $2); print $2 }' /proc/net/tcp); do
    [[ $((16#$hex)) -eq $2 ]] || echo $((16#$hex))
  done
}

json_field() { sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p" "$1"; }

git clone --quiet --no-hardlinks "$root" "$clone"
cd "$clone"
echo "README.md of $(git log -1 --format='%h %cs %s')"

crashes=
# The blocks, in order. A command that is new to this script is a reason to teach it.
demo=
while IFS= read -r line; do
  case $line in
    'go run ./cmd/millrace demo') demo=$line ;;
    'go test ./...') ;; # .ci/run
    'MILLRACE_CRASHES='*) crashes=$line ;;
    '') ;;
    *) fail "README.md has a command that this script does not check: $line" ;;
  esac
done < <(blocks sh)
[[ -n $demo ]] || fail "README.md does not begin with the demo"

# The figure that stands before the command must be what it comes to.
if [[ -n $crashes ]]; then
  toll=$(eval "$crashes" 2>&1) || fail "$crashes: $toll"
  [[ $toll == *' crashes in '*': 0 lost, 0 doubled'* ]] || fail "$crashes does not say how many: $toll"
  echo "  $(grep -o '[0-9]* crashes in .*doubled' <<<"$toll")"
fi

mkdir "$work/bin"
go build -o "$work/bin/millrace" ./cmd/millrace
PATH=$work/bin:$PATH

timed_demo
echo "  $took s, with what was left to build"
first=$(version "${tables[0]}")
timed_demo
echo "  $took s after the build; at most $within s on two cores that do nothing else, this fails above $bound"
[[ $(version "${tables[0]}") -gt $first ]] || fail "the second demo did not go on with the tables of the first"
[[ ${took%.*} -lt $bound ]] || fail "the demo took $took s"

# A new event is posted only after its number is on file; a new commit is a new version.
cp millrace-demo/emulator.json "$work/place"
numbers_taken() { ! cmp -s millrace-demo/emulator.json "$work/place"; }
killed_demo "$demo" "as it posts" numbers_taken
first=$(version "${tables[0]}")
committed() { [[ $(version "${tables[0]}") -gt $first ]]; }
killed_demo "$demo --events 200000" "after a commit, with more to come" committed

# What demo says to try next, with real paths.
cp "$out" "$work/demo"
mapfile -t next < <(sed -n '/^Try next:$/,$s/^  //p' "$work/demo")
[[ ${#next[@]} -eq 3 ]] || fail "demo names ${#next[@]} commands to try next, expected 3; $(shown)"
run "${next[0]}"
[[ $(grep -c '^{"ind":[0-9]*,.*}$' "$out") -eq 3 ]] || fail "expected 3 rows as JSON; $(shown)"
run "${next[1]}"
prints '^version +at '
prints ' STREAMING UPDATE '

# The README's definition.
blocks yaml >my.yaml
mapfile -t named < <(grep -o '`millrace [^`]*`' README.md | tr -d '`')
expected='millrace check my.yaml|millrace run my.yaml|millrace tail clean_pins|millrace table read ./lake/pin_table --limit 5'
[[ $(IFS='|' && echo "${named[*]}") == "$expected" ]] ||
  fail "README.md names other commands than this script checks: ${named[*]}"
run "${named[0]}"
prints '^pipeline pinterest, lake \./lake$'
prints '^stream clean_pins +from pins$'
prints ' follower_count long'
prints '^table pin_table +from clean_pins, .* partitioned by category'
sed 's/- dedupe:/- dedup:/' my.yaml >slip.yaml
run "millrace check slip.yaml" 2
grep -qE '^slip\.yaml:[0-9]+:[0-9]+: .*did you mean dedupe\?' "$err" || fail "the slip is not explained; $(shown)"

# demo --keep in one terminal and tail in another. tail looks where run listens by default; if somebody else
# does on this machine, it has to be told.
keep=${next[2]%%#*}
start "$keep" "$work/keep"
keeper=$!
address=$lake/_millrace/pinterest/address.json
serves() { [[ -d /proc/$(json_field "$address" pid) ]]; }
await "demo --keep serves" serves
http=$(json_field "$address" http)
from=
[[ $http == 127.0.0.1:8089 ]] || from=" --from $http"
for tail in "${next[2]##*another terminal: }" "${named[2]}"; do
  start "$tail$from" "$work/tail"
  tailer=$!
  await "$tail shows rows" grep -q '^{"ind":' "$work/tail"
  interrupt "$tailer" "$tail" "$work/tail"
done

# Its broker serves the README's definition too.
mapfile -t brokers < <(other_ports "$(json_field "$address" pid)" "${http##*:}")
[[ ${#brokers[@]} -eq 1 ]] || fail "demo --keep listens on ${brokers[*]:-nothing} beside $http, expected its broker's port"
export BROKERS=127.0.0.1:${brokers[0]}
start "${named[1]}" "$work/run"
runner=$!
has_rows() { [[ $(millrace table read ./lake/pin_table --columns ind --json --limit 5 | wc -l) -eq 5 ]]; }
await "${named[1]} commits rows" has_rows
interrupt "$runner" "${named[1]}" "$work/run"
run "${named[3]}"
prints '^ *ind  unique_id '
[[ $(wc -l <"$out") -eq 6 ]] || fail "expected a head and 5 rows; $(shown)"
interrupt "$keeper" "$keep" "$work/keep"
cp "$work/keep" "$out"
check_demo
echo "all of it is as the README says"
