package maintenance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/delta"
)

// ErrUntrue: what a table says of itself is not so. The error says what differs from what.
var ErrUntrue = errors.New("the table is not what it says")

func untrue(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUntrue, fmt.Sprintf(format, args...))
}

// A Verified is what Verify has proved of a table.
type Verified struct {
	Version    int64    `json:"version"`
	First      int64    `json:"first_version"` // the oldest that the log has an entry of
	Files      int      `json:"files"`         // live: each is there with its size, its rows and its statistics
	Rows       int64    `json:"rows"`
	Epochs     int64    `json:"epochs"`               // commits of pipelines in the log, each behind the one it names
	Ledger     *int64   `json:"ledger"`               // rows that the pipelines say they have written, equal to Rows; null: not comparable
	Others     []string `json:"others,omitempty"`     // commits of other writers that changed rows
	DedupeBy   []string `json:"dedupe_by,omitempty"`  // no two rows that agree in these are within the span that the table names
	Unprovable []string `json:"unprovable,omitempty"` // what the table does not hold enough for, with the reason
}

// Verify proves a table from itself: the log has no gap; every file is there with the size, the number of rows and
// the statistics that the log says; each commit of a pipeline follows the one it was made to follow; there are as
// many rows as the pipelines' ledgers say, or another writer is named; and no two rows are duplicates by the
// table's property millrace.dedupe. It reads all data once, and holds 24 bytes a row where there is a dedupe. The
// first difference ends it: ErrUntrue.
func Verify(ctx context.Context, t Table) (v Verified, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("verify %s: %w", t.Store.URL(), err)
		}
	}()
	s, err := delta.Load(ctx, t.Store, delta.Latest)
	if err != nil {
		return v, err
	}
	v.Version = s.Version()
	if err := v.log(ctx, t.Store, s); err != nil {
		return v, err
	}
	if err := v.files(ctx, t.Store, s); err != nil {
		return v, err
	}
	return v, v.compareLedger()
}

// A line is a pipeline's commits to the table, as far as the log tells.
type line struct {
	epoch   int64
	rows    int64 // of the ledger, cumulative
	ledger  bool  // it says that
	replace bool  // its last commit replaced all rows
}

// log reads the entries that there are, up to the snapshot.
func (v *Verified) log(ctx context.Context, store blob.Store, s *delta.Snapshot) error {
	lines := map[string]*line{}
	v.First = -1
	for e, err := range delta.Entries(ctx, store) {
		if err != nil {
			return err
		}
		if v.First < 0 {
			v.First = e.Version
		}
		if e.Version > s.Version() {
			break // came while we read
		}
		if err := v.entry(e, lines); err != nil {
			return err
		}
	}
	v.sumLedgers(s, lines)
	return nil
}

// entry takes one entry of the log.
func (v *Verified) entry(e *delta.LogEntry, lines map[string]*line) error {
	ours := false
	for _, txn := range e.Txns {
		if !strings.HasPrefix(txn.AppID, "millrace/") {
			continue
		}
		ours = true
		l := lines[txn.AppID]
		if prev, err := strconv.ParseInt(delta.Text(e.Info.Parameters["prevEpochId"]), 10, 64); err == nil {
			if l != nil && l.epoch != prev || l == nil && prev != int64(engine.NoEpoch) && v.First == 0 {
				return untrue("version %d is epoch %d of %s and was made to follow epoch %d; the log has %s before it", e.Version, txn.Version, txn.AppID, prev, l)
			}
		}
		next := &line{epoch: txn.Version, replace: delta.Text(e.Info.Parameters["outputMode"]) == "Complete"}
		var ledger engine.Count
		if json.Unmarshal([]byte(delta.Text(e.Info.Parameters["ledger"])), &ledger) == nil {
			next.rows, next.ledger = ledger.Out, true
		}
		lines[txn.AppID] = next
		v.Epochs++
	}
	if !ours && e.ChangesData() {
		v.Others = append(v.Others, fmt.Sprintf("version %d: %s by %s", e.Version, orUnknown(e.Info.Operation), orUnknown(e.Info.EngineInfo)))
	}
	return nil
}

// String is the line for an error.
func (l *line) String() string {
	if l == nil {
		return "none"
	}
	return "epoch " + strconv.FormatInt(l.epoch, 10)
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// sumLedgers adds up what the pipelines say they have written, if that can be compared with the table's rows.
func (v *Verified) sumLedgers(s *delta.Snapshot, lines map[string]*line) {
	var sum int64
	for _, txn := range s.Txns() {
		if !strings.HasPrefix(txn.AppID, "millrace/") {
			continue
		}
		l := lines[txn.AppID]
		switch {
		case l == nil || l.epoch != txn.Version || !l.ledger:
			v.Unprovable = append(v.Unprovable, "rows by the ledger: the log has the last commit of "+txn.AppID+" no more")
			return
		case l.replace:
			v.Unprovable = append(v.Unprovable, "rows by the ledger: the table's rows are replaced by each epoch")
			return
		}
		sum += l.rows
	}
	switch {
	case len(v.Others) > 0:
		v.Unprovable = append(v.Unprovable, "rows by the ledger: another writer changed rows, "+v.Others[0])
	case len(lines) == 0:
		v.Unprovable = append(v.Unprovable, "rows by the ledger: no pipeline has written to the table")
	default:
		v.Ledger = &sum
	}
}

// compareLedger compares the rows that there are with those that were written.
func (v *Verified) compareLedger() error {
	if v.Ledger == nil || *v.Ledger == v.Rows {
		return nil
	}
	hint := ""
	if v.First > 0 {
		hint = fmt.Sprintf("; another writer may have changed rows before version %d, where the log begins", v.First)
	}
	return untrue("it has %d rows, and its pipelines have written %d%s", v.Rows, *v.Ledger, hint)
}
