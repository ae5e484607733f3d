#!/usr/bin/env bash
# A real Apache Kafka broker for tests and benchmarks: one node, KRaft, broker and controller in one JVM.
# The jars come through Maven; no Docker, no tarball. It listens on loopback only, in plaintext.
# Needs Linux, bash, flock, mvn and Java 17 or later.
#
#   kafka.sh install                 fetch the jars (once)
#   kafka.sh start                   install and format if need be, start, wait until ready
#   kafka.sh stop                    shut down in good order
#   kafka.sh kill                    SIGKILL; the data stay, and start goes on with them
#   kafka.sh status                  exit 3 if it does not run
#   kafka.sh topic NAME PARTITIONS   create a topic; no error if it is there already
#   kafka.sh topics                  list topics, as NAME:PARTITION:END OFFSET
#   kafka.sh clean                   stop, then drop the data (the jars stay)
#
# Environment:
#   MILLRACE_CACHE         jars, shared by all brokers         default: .cache beside this folder
#   KAFKA_HOME             data, log and pid of this broker    default: $MILLRACE_CACHE/kafka
#   KAFKA_PORT             clients' port on 127.0.0.1          default: 9092
#   KAFKA_CONTROLLER_PORT  the controller's                    default: 9093
#   KAFKA_HEAP             of the JVM                          default: 1g
#
# Several brokers run side by side if each has a home and ports of its own.
set -euo pipefail

version=4.2.0
# The id of every cluster this script formats: 16 bytes in base64. Asking Kafka for a random one takes a JVM.
cluster=bWlsbHJhY2UtYnJva2VyMQ

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
die() { echo "kafka.sh: $*" >&2; exit 1; }

case "${1:-}" in
  install | start | stop | kill | status | topics | clean) [[ $# -eq 1 ]] || usage ;;
  topic) [[ $# -eq 3 ]] || usage ;;
  *) usage ;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${MILLRACE_CACHE:-$root/.cache}
home=${KAFKA_HOME:-$cache/kafka}
port=${KAFKA_PORT:-9092}
controller=${KAFKA_CONTROLLER_PORT:-9093}
heap=${KAFKA_HEAP:-1g}
mkdir -p "$cache" "$home"
cache=$(cd "$cache" && pwd)
home=$(cd "$home" && pwd)

jars=$cache/kafka-$version
conf=$home/server.properties
data=$home/data
log=$home/server.log
pidfile=$home/kafka.pid
server=127.0.0.1:$port

# True if the pid on file is alive and is this home's broker: a pid left by a crash may by now belong to
# some other process.
running() {
  [[ -s $pidfile ]] && grep -qzxFs -- "$conf" "/proc/$(<"$pidfile")/cmdline"
}

# One of Kafka's command-line tools, in a small JVM that logs only warnings.
tool() {
  java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$jars/*" "$@"
}

# Brokers that start at once share the cache: the first one fetches.
install() (
  exec 8>"$cache/kafka.lock"
  flock 8
  [[ ! -d $jars ]] || return 0
  tmp=$(mktemp -d "$cache/kafka.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  # kafka_2.13 is the server, kafka-tools the topic command. Kafka's own poms leave the logging backend to
  # the tarball: slf4j-simple writes to stderr.
  cat >"$tmp/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>kafka-home</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
POM
  mvn -B -q -f "$tmp/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$tmp/jars" >&2 || die "could not fetch Kafka $version"
  mv "$tmp/jars" "$jars" # whole or not at all
)

configure() {
  cat >"$conf" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://$server,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://$server,CONTROLLER://127.0.0.1:$controller
log.dirs=$data
num.partitions=4
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
log.retention.bytes=-1
CONF
}

start() {
  if running; then
    echo "running, pid $(<"$pidfile"), $server"
    return
  fi
  install
  configure
  [[ -f $data/meta.properties ]] ||
    tool kafka.tools.StorageTool format --standalone --config "$conf" --cluster-id "$cluster" >/dev/null
  : >"$log" # now, so that an earlier start's "started" is not taken for this one's
  # In a session of its own, so that it outlives this shell. setsid and nohup both exec, so $! is the JVM's
  # own pid. The lock (9) stays with us.
  setsid nohup java "-Xms$heap" "-Xmx$heap" -XX:+UseG1GC -Djava.awt.headless=true \
    -Dorg.slf4j.simpleLogger.showDateTime=true "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS" \
    -cp "$jars/*" kafka.Kafka "$conf" >"$log" 2>&1 </dev/null 9>&- &
  local pid=$! tries
  echo "$pid" >"$pidfile"
  for ((tries = 0; tries < 1200; tries++)); do
    if grep -q 'Kafka Server started' "$log"; then
      echo "ready, pid $pid, $server"
      return
    fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill9
  grep -m 5 -E 'ERROR|Exception' "$log" >&2 || true
  die "the broker did not start; see $log"
}

# Waits up to $1 tenths of a second for the broker's end.
ended() {
  local tries
  for ((tries = 0; tries < $1; tries++)); do
    running || return 0
    sleep 0.1
  done
  ! running
}

kill9() {
  if running; then
    kill -9 "$(<"$pidfile")" 2>/dev/null || true
    ended 100 || die "pid $(<"$pidfile") does not go away"
  fi
  rm -f "$pidfile"
}

stop() {
  if running; then
    kill "$(<"$pidfile")" 2>/dev/null || true
    ended 300 || kill9
  fi
  rm -f "$pidfile"
  echo stopped
}

status() {
  running || { echo "not running"; return 3; }
  echo "running, pid $(<"$pidfile"), $server"
}

# One command at a time and home: two starts at once would fight over the data.
exec 9>"$home/lock"
flock 9

case "$1" in
  install | start | stop | status) "$1" ;;
  kill) kill9 ;;
  topic)
    tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$server" \
      --create --if-not-exists --topic "$2" --partitions "$3" --replication-factor 1
    ;;
  topics) tool org.apache.kafka.tools.GetOffsetShell --bootstrap-server "$server" --exclude-internal-topics ;;
  clean)
    stop
    rm -rf "$data"
    ;;
esac
