package spec

import (
	"fmt"
	"path"
	"slices"
	"strconv"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// table reads one table and checks it against the columns that reach it.
func (l *loader) table(e Entry[tableLayout]) {
	f := e.Value
	t := Table{
		From: f.From.Text(), Path: f.Path, PartitionBy: f.PartitionBy,
		Compression: f.Compression, TargetFile: f.TargetFile, Evolve: f.Evolve == "add", Replace: f.Mode == "replace", at: e.At,
	}
	if t.Compression == "" {
		t.Compression = "snappy"
	}
	if t.TargetFile == 0 {
		t.TargetFile = l.def.TargetFile
	}
	if n, ok := e.At.Get("path"); !ok {
		t.Path = e.Key
	} else if n.Kind() != Scalar || !l.path(n, t.Path) {
		t.Path = ""
	}
	if t.Path != "" {
		t.Path = path.Clean(t.Path)
	}
	if up := l.upstream(f.From); up != nil && up.schema != nil {
		t.Schema = up.schema
		l.mode(e.At, t, up)
		l.partitions(get(e.At, "partition_by"), t)
		if l.opts.CheckTable != nil {
			for _, err := range l.opts.CheckTable(t.Schema) {
				l.add(e.At, e.At.keyError(err.Error(), ""))
			}
		}
	}
	l.def.Tables[e.Key] = t
	l.def.Plan.Tables = append(l.def.Plan.Tables, engine.TablePlan{Name: e.Key, From: t.From, PartitionBy: t.PartitionBy, Replace: t.Replace})
}

// mode checks that the table is replaced where its rows are whole in each epoch, and only there.
func (l *loader) mode(n Node, t Table, from *edge) {
	at, ok := n.Get("mode")
	if !ok {
		at = n.key()
	}
	switch {
	case at.t.broken:
	case from.whole && !t.Replace:
		l.errorf(at, "%s gives all its results anew in each epoch, and a commit would add them to those before: write mode: replace", t.From)
	case t.Replace && !from.whole:
		l.errorf(at, "%s gives each row once, and a commit would take out those before: write mode: append; replace is for results that are whole in each epoch, "+
			"such as those of window with emit: changes", t.From)
	}
}

func (l *loader) partitions(n Node, t Table) {
	before := len(l.errs)
	for i, c := range t.PartitionBy {
		at, ok := n.child(strconv.Itoa(i))
		if !ok || at.t.broken {
			continue
		}
		col := t.Schema.Index(c)
		switch {
		case col < 0:
			message := fmt.Sprintf("no column %s in %s: there is %s", at.t.shown(), t.From, alternatives(t.Schema.Names()))
			l.errs = append(l.errs, at.errorAt(0, message, column.Nearest(c, t.Schema.Names())))
		case slices.Contains(t.PartitionBy[:i], c):
			l.errorf(at, "column %s is here twice", at.t.shown())
		case t.Schema[col].Type.Kind >= column.Array || t.Schema[col].Type.Kind == column.Binary:
			l.errorf(at, "column %s is %s: folders can't be named by it", at.t.shown(), t.Schema[col].Type)
		}
	}
	if len(l.errs) == before && len(t.PartitionBy) > 0 && len(t.PartitionBy) == len(t.Schema) {
		l.errs = append(l.errs, n.keyError("partition_by names all columns: none is left for the data files", ""))
	}
}
