package main

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/expr"
	"github.com/millrace-io/millrace/engine/parquet"
)

// A scanned is a run of rows of a table, lent for the call.
type scanned struct {
	schema  column.Schema
	columns []column.Column // one a field of schema; from row rows on they are not meant
	rows    int
}

// cells shows a row to people: texts as they are, null as "", other values as in JSON without quotes.
func (r scanned) cells(row int) []string {
	all := make([]string, len(r.columns))
	for i, c := range r.columns {
		all[i] = cell(c, row)
	}
	return all
}

// shown is cells for a screen: what is a text in binary, as most records are, is shown as one.
func (r scanned) shown(row int) []string {
	all := r.cells(row)
	for i, c := range r.columns {
		if t, ok := c.(*column.Texts); ok && t.Type().Kind == column.Binary && !t.Valid.Null(row) && utf8.Valid(t.At(row)) {
			all[i] = string(t.At(row))
		}
	}
	return all
}

func cell(c column.Column, row int) string {
	switch t, ok := c.(*column.Texts); {
	case c.Nulls().Null(row):
		return ""
	case ok && t.Type().Kind == column.String:
		return string(t.At(row))
	}
	text := column.AppendJSON(nil, c, row)
	if text[0] == '"' {
		text = text[1 : len(text)-1]
	}
	return string(text)
}

// scan reads rows of a table: the columns named (nil: all, in the schema's order), at most limit rows
// (negative: all), and calls yield with each run of them. It ends with the first error of yield.
func scan(ctx context.Context, store blob.Store, s *delta.Snapshot, columns []string, limit int64, yield func(scanned) error) error {
	sc, err := newScanner(store, s, columns, "")
	if err != nil {
		return err
	}
	return sc.run(ctx, limit, yield)
}

// A scanner reads the rows of a snapshot for which a condition is true. It runs once.
type scanner struct {
	store blob.Store
	files []*delta.Add

	schema   column.Schema // what is read: what is shown, then what only the condition needs
	inFile   column.Schema // the part of schema that the data files hold
	inLog    []bool        // by column of schema: its values are in the log, the table is partitioned by it
	shown    int           // columns of schema that are shown
	where    *expr.Program // nil: all rows
	unjudged int64         // rows for which the condition has no value
	reason   string        // why, of the first of them
	pool     column.Pool
}

// newScanner finds the columns (nil: all) and compiles the condition ("": none).
func newScanner(store blob.Store, s *delta.Snapshot, columns []string, where string) (*scanner, error) {
	all := s.Schema()
	if columns == nil {
		columns = names(all)
	}
	needed, err := conditionColumns(all, where)
	if err != nil {
		return nil, err
	}
	sc := &scanner{store: store, files: s.Files(), shown: len(columns)}
	for _, name := range needed {
		if !slices.Contains(columns, name) {
			columns = append(slices.Clip(columns), name)
		}
	}
	if sc.schema, err = pick(all, columns); err != nil {
		return nil, err
	}
	for _, f := range sc.schema {
		inLog := slices.Contains(s.Metadata().PartitionBy, f.Name)
		if sc.inLog = append(sc.inLog, inLog); !inLog {
			sc.inFile = append(sc.inFile, f)
		}
	}
	if where != "" {
		sc.where, err = expr.Compile(where, sc.schema)
	}
	return sc, err
}

// names lists the columns of a table.
func names(all delta.Schema) []string {
	list := make([]string, len(all))
	for i, f := range all {
		list[i] = f.Name
	}
	return list
}

// pick gives the columns of a table that are named, in that order.
func pick(all delta.Schema, columns []string) (column.Schema, error) {
	var picked delta.Schema
	for i, name := range columns {
		at := slices.IndexFunc(all, func(f delta.Field) bool { return f.Name == name })
		if at < 0 {
			return nil, usagef("the table has no column %s%s", name, meant(name, names(all)))
		}
		if slices.Contains(columns[:i], name) {
			return nil, usagef("column %s is asked for twice", name)
		}
		picked = append(picked, all[at])
	}
	schema, err := picked.Columns()
	if err != nil {
		return nil, fmt.Errorf("rows can't be read with these columns, choose others: %w", err)
	}
	return schema, nil
}

// meant ends a message about a name that is not there.
func meant(name string, all []string) string {
	if n := column.Nearest(name, all); n != "" {
		return fmt.Sprintf(" (did you mean %s?)", n)
	}
	return ""
}

// conditionColumns lists the columns that a condition reads.
func conditionColumns(all delta.Schema, where string) ([]string, error) {
	if where == "" {
		return nil, nil
	}
	var readable column.Schema
	for _, f := range all {
		if one, err := (delta.Schema{f}).Columns(); err == nil {
			readable = append(readable, one...)
		}
	}
	p, err := expr.Compile(where, readable)
	if err != nil {
		return nil, usagef("--where: %w", err)
	}
	if p.Type().Kind != column.Bool {
		return nil, usagef("--where: a condition is a bool, this is a %s", p.Type())
	}
	return p.Columns(), nil
}

// run calls yield with the rows of file after file, at most limit of them (negative: all).
func (sc *scanner) run(ctx context.Context, limit int64, yield func(scanned) error) error {
	left := limit
	for _, f := range sc.files {
		if left == 0 {
			return nil
		}
		if err := sc.file(ctx, f, &left, yield); err != nil {
			return err
		}
	}
	return nil
}

// file yields the rows of a data file and counts left down, which stays as it is when negative.
func (sc *scanner) file(ctx context.Context, add *delta.Add, left *int64, yield func(scanned) error) error {
	name, err := add.Name()
	if err != nil {
		return err
	}
	f, err := parquet.Open(ctx, sc.store, name, sc.inFile)
	if err != nil {
		return err
	}
	for i := 0; i < f.RowGroups() && *left != 0; i++ {
		if err := sc.rowGroup(ctx, add, f, i, left, yield); err != nil {
			return err
		}
	}
	return nil
}

func (sc *scanner) rowGroup(ctx context.Context, add *delta.Add, f *parquet.File, i int, left *int64, yield func(scanned) error) error {
	arena := sc.pool.Get()
	defer arena.Release()
	read, err := f.ReadRowGroup(ctx, i, arena)
	if err != nil {
		return err
	}
	rows := f.RowGroupRows(i)
	cols, err := sc.assemble(add, read, rows, arena)
	if err != nil {
		return err
	}
	cols, rows = sc.filter(cols, rows, arena)
	if *left > 0 {
		rows = int(min(int64(rows), *left))
		*left -= int64(rows)
	}
	if rows == 0 {
		return nil
	}
	return yield(scanned{schema: sc.schema[:sc.shown], columns: cols[:sc.shown], rows: rows})
}

// assemble puts what the log says of a file's rows between the columns that were read from it.
func (sc *scanner) assemble(add *delta.Add, read []column.Column, rows int, arena *column.Arena) ([]column.Column, error) {
	cols := make([]column.Column, len(sc.schema))
	for i, f := range sc.schema {
		if !sc.inLog[i] {
			cols[i], read = read[0], read[1:]
			continue
		}
		cols[i] = arena.Column(f.Type)
		for range rows {
			if err := delta.AppendPartition(cols[i], add.PartitionValues[f.Name]); err != nil {
				return nil, fmt.Errorf("%s: column %s: %w", add.Path, f.Name, err)
			}
		}
	}
	return cols, nil
}

// filter gives the rows for which the condition is true.
func (sc *scanner) filter(cols []column.Column, rows int, arena *column.Arena) ([]column.Column, int) {
	if sc.where == nil {
		return cols, rows
	}
	sel, bad := sc.where.Filter(cols, nil, rows, arena)
	if len(bad) > 0 && sc.unjudged == 0 {
		sc.reason = bad[0].Detail
	}
	sc.unjudged += int64(len(bad))
	kept := make([]column.Column, sc.shown)
	for i := range kept {
		kept[i] = arena.Column(cols[i].Type())
		kept[i].AppendRows(cols[i], sel, rows)
	}
	return kept, len(sel)
}
