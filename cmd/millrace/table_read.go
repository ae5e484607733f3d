package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/engine/column"
)

// readOptions are the flags of table read.
type readOptions struct {
	tableFlags
	csv     bool
	limit   int64 // rows; 0: all
	columns []string
	where   string
}

func newTableRead() *cobra.Command {
	var o readOptions
	cmd := &cobra.Command{
		Use:   "read URL",
		Short: "Rows of a version, as a grid, JSON or CSV",
		Long: `read prints rows of a Delta table, in the order of its data files: to people as a grid whose long cells
are cut, with --json as one JSON object a row, with --csv as CSV (RFC 4180) below a header, where null is an
empty field.`,
		Example: `  millrace table read ./lake/pin_table --limit 5 --columns ind,title
  millrace table read ./lake/pin_table --where "follower_count > 1000000" --json
  millrace table read ./lake/pin_table --limit 0 --csv > pins.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return tableRead(cmd.Context(), args[0], o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.add(cmd)
	f := cmd.Flags()
	f.Lookup("json").Usage = "one JSON object a row"
	f.BoolVar(&o.csv, "csv", false, "CSV with a header")
	f.Int64Var(&o.limit, "limit", 20, "print at most so many rows (0: all)")
	f.StringSliceVar(&o.columns, "columns", nil, "names of the columns to print, with commas (default: all)")
	f.StringVar(&o.where, "where", "", "print only rows for which this SQL condition is true")
	return cmd
}

func tableRead(ctx context.Context, url string, o readOptions, stdout, stderr io.Writer) error {
	if o.limit < 0 {
		return usagef("--limit %d: expected a number of rows, or 0 for all", o.limit)
	}
	if o.json && o.csv {
		return usagef("--json and --csv: choose one")
	}
	if o.limit == 0 {
		o.limit = -1
	}
	s, store, err := o.snapshot(ctx, url)
	if err != nil {
		return err
	}
	sc, err := newScanner(store, s, o.columns, o.where)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(stdout)
	p := o.printer(out, sc.schema[:sc.shown])
	if err := sc.run(ctx, o.limit, p.print); err != nil {
		return err
	}
	if err := p.end(); err != nil {
		return err
	}
	if sc.unjudged > 0 {
		fmt.Fprintf(stderr, "warning: left out %s for which the condition has no value, such as: %s\n", plural(int(sc.unjudged), "row"), sc.reason)
	}
	return out.Flush()
}

// A rowPrinter prints rows in one of the forms of table read.
type rowPrinter interface {
	print(scanned) error
	end() error // after the last rows; they may be none
}

func (o readOptions) printer(w *bufio.Writer, schema column.Schema) rowPrinter {
	switch {
	case o.json:
		return &jsonRows{w: w}
	case o.csv:
		return &csvRows{w: csv.NewWriter(w), header: schema.Names()}
	default:
		return &gridRows{w: w, schema: schema}
	}
}

// jsonRows prints one object a row.
type jsonRows struct {
	w    *bufio.Writer
	line []byte
}

func (p *jsonRows) print(r scanned) error {
	for row := range r.rows {
		p.line = append(column.AppendRowJSON(p.line[:0], r.schema, r.columns, row), '\n')
		if _, err := p.w.Write(p.line); err != nil {
			return err
		}
	}
	return nil
}

func (p *jsonRows) end() error { return nil }

// csvRows prints a header and a line a row.
type csvRows struct {
	w      *csv.Writer
	header []string // nil: printed
}

func (p *csvRows) print(r scanned) error {
	if err := p.head(); err != nil {
		return err
	}
	for row := range r.rows {
		if err := p.w.Write(r.cells(row)); err != nil {
			return err
		}
	}
	return nil
}

func (p *csvRows) head() error {
	if p.header == nil {
		return nil
	}
	header := p.header
	p.header = nil
	return p.w.Write(header)
}

func (p *csvRows) end() error {
	if err := p.head(); err != nil {
		return err
	}
	p.w.Flush()
	return p.w.Error()
}

const (
	gridCell = 40   // characters a cell
	gridRun  = 1000 // rows that are aligned together; more would have to be held
)

// gridRows prints aligned columns, with a header at every gridRun rows.
type gridRows struct {
	w       *bufio.Writer
	schema  column.Schema
	cells   [][]string
	printed bool
}

func (p *gridRows) print(r scanned) error {
	for row := range r.rows {
		if len(p.cells) == gridRun {
			p.flush()
		}
		p.cells = append(p.cells, r.shown(row))
	}
	return nil
}

func (p *gridRows) end() error {
	if len(p.cells) > 0 || !p.printed {
		p.flush()
	}
	return nil
}

func (p *gridRows) flush() {
	if p.printed {
		fmt.Fprintln(p.w)
	}
	var right []string
	for _, f := range p.schema {
		if f.Type.Kind.Numeric() {
			right = append(right, f.Name)
		}
	}
	grid(p.w, p.schema.Names(), p.cells, gridCell, right...)
	p.cells, p.printed = nil, true
}
