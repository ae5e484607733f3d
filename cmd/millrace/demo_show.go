package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
)

const (
	demoRows = 5  // clean rows shown
	demoCell = 28 // characters a cell
)

// showDemo tells what the demo did: ledger, tables, some clean rows, what was refused and why, and what to
// try next.
func showDemo(ctx context.Context, o demoOptions, p *pipeline, w io.Writer) error {
	s := p.task.Status()
	fmt.Fprintf(w, "Every record is accounted for (since the first run in this folder):\n\n")
	printLedger(w, s.Ledger)
	fmt.Fprintf(w, "\nThe tables:\n\n")
	if err := printTables(ctx, w, p); err != nil {
		return err
	}
	pins := demoUser + "_pin_table"
	fmt.Fprintf(w, "\nSome rows of %s:\n\n", pins)
	if err := printRows(ctx, w, p, pins, []string{"ind", "title", "follower_count", "poster_name", "save_location", "category"}); err != nil {
		return err
	}
	if err := printQuarantine(ctx, w, p); err != nil {
		return err
	}
	self := program()
	fmt.Fprintf(w, "\nTry next:\n\n  %s table read %s --limit 3 --json\n  %s table history %s --limit 5\n  %s demo --dir %s --keep     # and in another terminal: %s tail clean_pins --from %s\n",
		self, p.tablePath(pins), self, p.tablePath(pins), self, o.dir, self, p.def.Lake)
	return nil
}

// tablePath is a table's folder as a person would type it.
func (p *pipeline) tablePath(name string) string {
	lake, options, ok := strings.Cut(p.def.Lake, "?")
	path := strings.TrimSuffix(lake, "/") + "/" + p.pathOf(name)
	if ok {
		return "'" + path + "?" + options + "'" // quoted: a shell makes something of ? and &
	}
	return path
}

// tableNames is every table of the pipeline, the quarantine last.
func (p *pipeline) tableNames() []string {
	return append(slices.Sorted(maps.Keys(p.def.Tables)), p.def.Plan.Quarantine)
}

func (p *pipeline) open(ctx context.Context, table string) (*delta.Snapshot, blob.Store, error) {
	store := blob.Sub(p.lake, p.pathOf(table))
	s, err := delta.Load(ctx, store, delta.Latest)
	return s, store, err
}

func printTables(ctx context.Context, w io.Writer, p *pipeline) error {
	var rows [][]string
	for _, name := range p.tableNames() {
		s, store, err := p.open(ctx, name)
		if err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
		d := describeTable(s, store)
		n := int64(0)
		if d.Rows != nil {
			n = *d.Rows
		}
		rows = append(rows, []string{name, count(n), count(int64(d.Files)), size(d.Bytes), fmt.Sprint(d.Version)})
	}
	grid(w, []string{"table", "rows", "files", "size", "version"}, rows, 0, "rows", "files", "size", "version")
	return nil
}

func printRows(ctx context.Context, w io.Writer, p *pipeline, table string, columns []string) error {
	s, store, err := p.open(ctx, table)
	if err != nil {
		return err
	}
	var rows [][]string
	err = scan(ctx, store, s, columns, demoRows, func(r scanned) error {
		for row := range r.rows {
			rows = append(rows, r.cells(row))
		}
		return nil
	})
	if err != nil {
		return err
	}
	grid(w, columns, rows, demoCell, "ind", "follower_count")
	return nil
}

// printQuarantine counts what was refused by reason, with an example each.
func printQuarantine(ctx context.Context, w io.Writer, p *pipeline) error {
	s, store, err := p.open(ctx, p.def.Plan.Quarantine)
	if err != nil {
		return err
	}
	type group struct {
		rows    int64
		example []string
	}
	groups := map[string]*group{}
	columns := []string{"reason", "source", "column", "detail", "bytes"}
	err = scan(ctx, store, s, columns, -1, func(r scanned) error {
		for row := range r.rows {
			cells := r.cells(row)
			cells[4] = text(r.columns[4], row)
			key := cells[0] + " " + cells[1] + " " + cells[2]
			if groups[key] == nil {
				groups[key] = &group{example: cells}
			}
			groups[key].rows++
		}
		return nil
	})
	if err != nil || len(groups) == 0 {
		return err
	}
	fmt.Fprintf(w, "\nRefused, and kept in %s with bytes, place and reason:\n\n", p.def.Plan.Quarantine)
	var rows [][]string
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		g := groups[key]
		rows = append(rows, append([]string{count(g.rows)}, g.example...))
	}
	grid(w, []string{"rows", "reason", "source", "column", "for example", "which was"}, rows, 48, "rows")
	return nil
}

// text shows a binary as the text it mostly is.
func text(c column.Column, row int) string {
	t, ok := c.(*column.Texts)
	if !ok || t.Valid.Null(row) {
		return ""
	}
	return strings.ToValidUTF8(string(t.At(row)), "·")
}
