package delta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob/fault"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/column"
)

// TestCommit runs the scripts in testdata/commit, each on one store:
//
//	table [schema=(id:long!,city:string)] [by=(city)] [pipeline=P] [evolve] [checkpoints=URL]   a process that writes the table
//	open line=X                  open it for an incarnation
//	state                        read the log again
//	prepare epoch=N prev=N [files=(a,b)] [id=X]
//	commit epoch=N prev=N [files=(a,b)] [id=X] [replace]
//	files                        the files of the newest version
//	entry version=N              put a log entry, whose lines are the input
//	delete version=N             remove one
//	next lost|fails [times=N]    the next puts of a log entry land but are reported failed, or fail
//	next race                    another puts the input in place of our next entry, just before us ("ID": the table's id)
//	log                          show the log
//	pauses                       how often commits have waited so far
func TestCommit(t *testing.T) {
	datadriven.Walk(t, "testdata/commit", func(t *testing.T, path string) {
		b := &bench{t: t, store: mem.New()}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			b.t = t
			return b.run(d)
		})
	})
}

// bench is a store, one process that writes a table there, and what is to happen to it.
type bench struct {
	t      *testing.T
	store  *mem.Store
	table  *Table
	next   []func(fault.Call) fault.Fault // at the next puts
	pauses int
}

func (b *bench) run(d *datadriven.TestData) string {
	ctx := b.t.Context()
	switch d.Cmd {
	case "table":
		return b.makeTable(d)
	case "open":
		var line string
		d.ScanArgs(b.t, "line", &line)
		return b.shown(b.table.Open(ctx, line))
	case "state":
		return b.shown(b.table.State(ctx))
	case "prepare":
		if err := b.table.Prepare(ctx, b.prepared(d)); err != nil {
			return b.failed(err)
		}
		return "ok\n"
	case "commit":
		version, err := b.table.Commit(ctx, b.prepared(d), engine.CommitInfo{Pipeline: "p", Ledger: engine.Count{In: 3, Out: 2, Duplicate: 1}})
		if err != nil {
			return b.failed(err)
		}
		return fmt.Sprintf("version %d\n", version)
	case "entry", "delete":
		version := int64(0)
		d.ScanArgs(b.t, "version", &version)
		if d.Cmd == "entry" {
			put(b.t, b.store, entryName(version), d.Input+"\n")
		} else if err := b.store.Delete(ctx, entryName(version)); err != nil {
			b.t.Fatal(err)
		}
		return ""
	case "next":
		b.plan(d)
		return ""
	case "pauses":
		return fmt.Sprintln(b.pauses)
	case "log":
		return showLog(b.t, b.store)
	case "files":
		return names(loaded(b.t, b.store, Latest)) + "\n"
	}
	d.Fatalf(b.t, "no command %s", d.Cmd)
	return ""
}

func (b *bench) makeTable(d *datadriven.TestData) string {
	c := Config{Name: "pins", Pipeline: "p", Store: fault.New(b.store, b.hook), EngineInfo: "millrace/test", CheckpointsURL: "mem:ckpt"}
	c.Sleep = func(context.Context, time.Duration) error { b.pauses++; return nil }
	fields := []string{"id:long!", "city:string"}
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "schema":
			fields = a.Vals
		case "by":
			c.PartitionBy = a.Vals
		case "pipeline":
			c.Pipeline = a.Vals[0]
		case "checkpoints":
			c.CheckpointsURL = a.Vals[0]
		case "evolve":
			c.Evolve = true
		}
	}
	for _, f := range fields {
		name, typ, _ := strings.Cut(f, ":")
		typ, required := strings.CutSuffix(typ, "!")
		t, err := column.ParseType(typ)
		if err != nil {
			d.Fatalf(b.t, "%v", err)
		}
		c.Schema = append(c.Schema, column.Field{Name: name, Type: t, Required: required})
	}
	table, err := NewTable(c)
	if err != nil {
		return b.failed(err)
	}
	b.table = table
	return ""
}

func (b *bench) hook(c fault.Call) fault.Fault {
	if c.Op != "PutIfAbsent" || len(b.next) == 0 {
		return fault.Fault{}
	}
	do := b.next[0]
	b.next = b.next[1:]
	return do(c)
}

func (b *bench) plan(d *datadriven.TestData) {
	times := 1
	if d.HasArg("times") {
		d.ScanArgs(b.t, "times", &times)
	}
	what, entry := d.CmdArgs[0].Key, d.Input+"\n" // d is used again
	if b.table.state != nil {
		entry = strings.ReplaceAll(entry, `"id":"ID"`, `"id":"`+b.table.state.metadata.ID+`"`)
	}
	for range times {
		b.next = append(b.next, func(c fault.Call) fault.Fault {
			switch what {
			case "lost":
				return fault.Fault{Kind: fault.FailAfter}
			case "fails":
				return fault.Fault{Kind: fault.FailBefore}
			default:
				put(b.t, b.store, c.Name, entry)
				return fault.Fault{}
			}
		})
	}
}

func (b *bench) prepared(d *datadriven.TestData) engine.Prepared {
	p := engine.Prepared{Table: "pins"}
	if b.table.state != nil {
		p.ID = b.table.state.metadata.ID
	}
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "epoch":
			d.ScanArgs(b.t, "epoch", &p.Epoch)
		case "prev":
			d.ScanArgs(b.t, "prev", &p.Prev)
		case "id":
			p.ID = a.Vals[0]
		case "replace":
			p.Replace = true
		case "files":
			for _, name := range a.Vals {
				p.Files = append(p.Files, smallFile(name, 10, 2))
			}
		}
	}
	return p
}

// smallFile is a data file of a table without partitions.
func smallFile(name string, size, rows int64) engine.File {
	return engine.File{Path: name, Size: size, Rows: rows, Add: AddAction(name, nil, size, 1, fmt.Sprintf(`{"numRecords":%d}`, rows))}
}

func (b *bench) shown(s engine.TableState, err error) string {
	if err != nil {
		return b.failed(err)
	}
	return b.hide(fmt.Sprintf("id %s, version %d, epoch %d, others %v\n", s.ID, s.Version, s.Epoch, s.Others))
}

func (b *bench) failed(err error) string {
	kind := ""
	if errors.Is(err, engine.ErrForeign) {
		kind = " [foreign]"
	}
	return b.hide(strings.TrimSuffix(failure(err), "\n") + kind + "\n")
}

// hide puts a fixed word for the id that the table was made with.
func (b *bench) hide(s string) string {
	data, err := b.store.Get(b.t.Context(), entryName(0))
	if err != nil {
		return s
	}
	for _, line := range strings.Split(string(data), "\n") {
		var a action
		if json.Unmarshal([]byte(line), &a) == nil && a.Metadata != nil && len(a.Metadata.ID) == 36 {
			s = strings.ReplaceAll(s, a.Metadata.ID, "ID")
		}
	}
	return s
}

// showLog is the log without what differs from run to run.
func showLog(t *testing.T, store *mem.Store) string {
	var b strings.Builder
	for info, err := range store.List(t.Context(), logPrefix, "") {
		if err != nil {
			t.Fatal(err)
		}
		version, ok := entryVersion(info.Name)
		if !ok {
			continue
		}
		data, err := store.Get(t.Context(), info.Name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "version %d\n", version)
		err = eachAction(data, true, func(a action) error {
			b.WriteString("  " + showAction(a) + "\n")
			return nil
		})
		if err != nil {
			fmt.Fprintf(&b, "  %v\n", err)
		}
	}
	return b.String()
}

func showAction(a action) string {
	switch {
	case a.Info != nil:
		i := info(append([]byte(`{"commitInfo":`), append(a.Info, '}')...))
		read := "-"
		if i.ReadVersion != nil {
			read = fmt.Sprint(*i.ReadVersion)
		}
		return fmt.Sprintf("%s by %q read=%s %v %v", i.Operation, i.EngineInfo, read, textsOf(i.Parameters), textsOf(i.Metrics))
	case a.Protocol != nil:
		return fmt.Sprintf("protocol %d.%d", a.Protocol.MinReader, a.Protocol.MinWriter)
	case a.Metadata != nil:
		return fmt.Sprintf("metaData %s by %v %v", a.Metadata.SchemaString, a.Metadata.PartitionBy, a.Metadata.Configuration)
	case a.Txn != nil:
		return fmt.Sprintf("txn %s %d", a.Txn.AppID, a.Txn.Version)
	case a.Add != nil:
		return fmt.Sprintf("add %s size=%d %s", a.Add.Path, a.Add.Size, a.Add.Stats)
	case a.Remove != nil:
		return "remove " + a.Remove.Path
	}
	return "unknown"
}
