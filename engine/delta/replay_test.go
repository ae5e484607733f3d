package delta

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/millrace-io/millrace/engine/blob/mem"
)

// TestReplay runs the scripts in testdata/replay, each on one store:
//
//	entry version=N    put a log entry, whose lines are the input
//	object name=X      put another object
//	delete version=N   remove a log entry
//	load [version=N]   load a snapshot and show it
//	advance            move the last snapshot on and show it
//	history            show what the commits say of themselves
func TestReplay(t *testing.T) {
	datadriven.Walk(t, "testdata/replay", func(t *testing.T, path string) {
		store := mem.New()
		var s *Snapshot
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			version := Latest
			if d.HasArg("version") {
				d.ScanArgs(t, "version", &version)
			}
			switch d.Cmd {
			case "entry":
				put(t, store, entryName(version), d.Input+"\n")
				return ""
			case "object":
				put(t, store, d.CmdArgs[0].Vals[0], d.Input)
				return ""
			case "delete":
				if err := store.Delete(t.Context(), entryName(version)); err != nil {
					t.Fatal(err)
				}
				return ""
			case "load":
				loaded, err := Load(t.Context(), store, version)
				if err != nil {
					return failure(err)
				}
				s = loaded
				return describe(s)
			case "advance":
				if err := s.Advance(t.Context()); err != nil {
					return failure(err) + describe(s)
				}
				return describe(s)
			case "history":
				return historyOf(t.Context(), store)
			}
			d.Fatalf(t, "no command %s", d.Cmd)
			return ""
		})
	})
}

func put(t *testing.T, store *mem.Store, name, data string) {
	t.Helper()
	if err := store.Put(t.Context(), name, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

// failure shows an error and which of the package's it is.
func failure(err error) string {
	kind := ""
	switch {
	case errors.Is(err, ErrNotTable):
		kind = " [not a table]"
	case errors.Is(err, ErrUnsupported):
		kind = " [unsupported]"
	}
	return "error: " + err.Error() + kind + "\n"
}

// describe shows a snapshot.
func describe(s *Snapshot) string {
	var b strings.Builder
	m, p := s.Metadata(), s.Protocol()
	fmt.Fprintf(&b, "version %d of %s, protocol %d.%d\n", s.Version(), m.ID, p.MinReader, p.MinWriter)
	for _, f := range s.Schema() {
		fmt.Fprintf(&b, "  column %v\n", f)
	}
	if len(m.PartitionBy) > 0 {
		fmt.Fprintf(&b, "  by %v\n", m.PartitionBy)
	}
	if len(m.Configuration) > 0 {
		fmt.Fprintf(&b, "  configuration %v\n", m.Configuration)
	}
	for _, a := range s.Files() {
		rows := "?"
		if n, ok := a.Rows(); ok {
			rows = fmt.Sprint(n)
		}
		name, err := a.Name()
		if err != nil {
			name = "(" + err.Error() + ")"
		}
		fmt.Fprintf(&b, "  file %s size=%d rows=%s\n", name, a.Size, rows)
	}
	txns := s.Txns()
	slices.SortFunc(txns, func(a, b Txn) int { return strings.Compare(a.AppID, b.AppID) })
	for _, x := range txns {
		fmt.Fprintf(&b, "  txn %s %d\n", x.AppID, x.Version)
	}
	return b.String()
}

func historyOf(ctx context.Context, store *mem.Store) string {
	var b strings.Builder
	for v, err := range History(ctx, store) {
		if err != nil {
			return b.String() + failure(err)
		}
		fmt.Fprintf(&b, "version %d", v.Number)
		if v.Info.Millis > 0 {
			fmt.Fprintf(&b, " at %d", v.Millis)
		}
		fmt.Fprintf(&b, " %q by %q", v.Info.Operation, v.Info.EngineInfo)
		for _, m := range []map[string]string{textsOf(v.Info.Parameters), textsOf(v.Info.Metrics)} {
			fmt.Fprintf(&b, " %v", m)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
