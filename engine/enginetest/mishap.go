package enginetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// A Kind is what happens in a life.
type Kind string

// The kinds of mishap. A call is one to the store: of the checkpoints, the logs or the files. N counts them from 1
// within a life; T is the time of a life.
const (
	CrashBefore   Kind = "crash-before"   // N: the process dies before the call
	CrashAfter    Kind = "crash-after"    // N: the process dies when the call has landed
	FailBefore    Kind = "fail-before"    // N: the call fails and is not made: an error, a 409
	FailAfter     Kind = "fail-after"     // N: the call landed and is reported failed
	ExistsAfter   Kind = "exists-after"   // N: the call landed and is reported to have found another's: 412 after own success
	Slow          Kind = "slow"           // N: the call is made some minutes late
	LateAnswer    Kind = "late-answer"    // N: the call is made, and its answer comes some minutes late
	StaleList     Kind = "stale-list"     // N: a list shows what was there when the life began
	KillAt        Kind = "kill-at"        // T: the process dies
	Zombie        Kind = "zombie"         // N: the process sleeps at the call, another takes over and ends, then it goes on
	Rival         Kind = "rival"          // T: a second process starts while the first runs
	SourceFails   Kind = "source-fails"   // N: the source ends with an error at the frame
	NewestLost    Kind = "newest-lost"    // the newest checkpoint is gone
	AllLost       Kind = "all-lost"       // all checkpoints and states are gone
	BackupBack    Kind = "backup-back"    // checkpoints and states are those of some lives ago
	TableDropped  Kind = "table-dropped"  // N: of the tables one is gone
	TablesBack    Kind = "tables-back"    // the tables are those of some lives ago
	PartitionsNew Kind = "partitions-new" // the source has partitions more
	Vacuumed      Kind = "vacuumed"       // N: the process dies at the call, days pass, and vacuum runs before the next
	Optimized     Kind = "optimized"      // N: the process dies at the call, and small files are put together
)

// A Mishap is what happens in one life. N and T mean what its Kind says.
type Mishap struct {
	Kind Kind
	N    int
	T    time.Duration
}

// String is "crash-after 12", "kill-at 350ms" or "all-lost".
func (m Mishap) String() string {
	switch {
	case m.T > 0:
		return fmt.Sprintf("%s %v", m.Kind, m.T)
	case m.N > 0:
		return fmt.Sprintf("%s %d", m.Kind, m.N)
	}
	return string(m.Kind)
}

func parseMishap(line string) (Mishap, error) {
	var kind, arg string
	n, _ := fmt.Sscan(line, &kind, &arg)
	m := Mishap{Kind: Kind(kind)}
	if !slices.Contains(kinds[:], m.Kind) {
		return m, fmt.Errorf("%q: no mishap of this name", line)
	}
	if n < 2 {
		return m, nil
	}
	if _, err := fmt.Sscan(arg, &m.N); err == nil && fmt.Sprint(m.N) == arg {
		return m, nil
	}
	m.N = 0
	var err error
	if m.T, err = time.ParseDuration(arg); err != nil {
		return m, fmt.Errorf("%q: expected a number or a duration", line)
	}
	return m, nil
}

// kinds is all of them; those that the engine meets most are there more often.
var kinds = [...]Kind{
	CrashBefore, CrashBefore, CrashBefore, CrashAfter, CrashAfter, CrashAfter, CrashAfter, FailBefore, FailAfter, FailAfter, ExistsAfter, ExistsAfter, Slow, LateAnswer,
	StaleList, KillAt, KillAt, KillAt, Zombie, Zombie, Rival, Rival, SourceFails, NewestLost, AllLost, BackupBack, TableDropped, TablesBack, PartitionsNew,
	Vacuumed, Optimized,
}

// aMishap draws one. Not every case bears partitions that come later.
func aMishap(rnd *rand.Rand, c Case) Mishap {
	m := Mishap{Kind: kinds[rnd.IntN(len(kinds))]}
	switch m.Kind {
	case KillAt, Rival:
		m.T = time.Duration(1+rnd.IntN(1200)) * time.Millisecond
	case SourceFails:
		m.N = 1 + rnd.IntN(12)
	case NewestLost, AllLost, BackupBack, TablesBack:
	case PartitionsNew:
		if !c.Grows {
			m = Mishap{Kind: CrashAfter, N: 1 + rnd.IntN(80)}
		}
	default:
		m.N = 1 + rnd.IntN(80)
	}
	return m
}
