package expr

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine/column"
)

// TestKernels: of random expressions over random rows, a batch gives what its rows give one by one, whole or
// by a selection, in fresh memory or in memory that other batches have used; it leaves what it reads as it is, and what it
// promises of nulls holds.
func TestKernels(t *testing.T) {
	const expressions, rows = 1000, 40
	for seed := range uint64(3) {
		g := newGenerator(seed)
		cols, more := g.samples(rows), g.samples(rows+30)
		before := shownRows(cols, rows)
		var pool column.Pool
		for range expressions {
			it := g.item(pick(g.Rand, resultTypes()...), 3)
			sel := g.selection(rows)
			check := func(it *item) (err error) {
				defer func() {
					if r := recover(); r != nil {
						err = fmt.Errorf("panic: %v", r)
					}
				}()
				return checkKernels(it, cols, more, sel, &pool)
			}
			if err := check(it); err != nil {
				it = smallest(it, func(part *item) bool { return check(part) != nil })
				t.Fatalf("seed %d: %s: %v", seed, it.src, check(it))
			}
		}
		if after := shownRows(cols, rows); !slices.Equal(before, after) {
			t.Fatalf("seed %d: an expression has changed what it reads: of %v to %v", seed, before, after)
		}
	}
}

// selection is some rows of n, seldom all or none.
func (g *generator) selection(n int) column.Selection {
	share := pick(g.Rand, 0, 10, 50, 90, 100)
	sel := column.Selection{}
	for i := range n {
		if g.IntN(100) < share {
			sel = append(sel, int32(i))
		}
	}
	return sel
}

func shownRows(cols []column.Column, n int) []string {
	var rows []string
	for i := range n {
		rows = append(rows, shownRow(cols, i, sampleSchema().Names()))
	}
	return rows
}

// shownRow is the columns names of a row as messages show them.
func shownRow(cols []column.Column, row int, names []string) string {
	var values []string
	for i, f := range sampleSchema() {
		if slices.Contains(names, f.Name) {
			values = append(values, fmt.Sprintf("%s: %s", f.Name, column.AppendJSON(nil, cols[i], row)))
		}
	}
	return strings.Join(values, ", ")
}

// checkKernels says in what the batch differs from its rows.
func checkKernels(it *item, cols, more []column.Column, sel column.Selection, pool *column.Pool) error {
	p, err := Compile(it.src, sampleSchema())
	if err != nil {
		return err
	}
	n := cols[0].Len()
	want := oneByOne(p, cols)
	for row := range n {
		if !p.Nullable() && want[row] == "null" {
			return fmt.Errorf("it is never null, but is for %s", shownRow(cols, row, p.Columns()))
		}
	}
	for range 2 { // the second time in used memory
		arena := pool.Get()
		dirty, _ := p.Eval(more, nil, more[0].Len(), arena)
		held := show(dirty, 0, nil)
		for _, sel := range []column.Selection{nil, sel} {
			out, bad := p.Eval(cols, sel, n, arena)
			if err := checkBad(bad, sel, n); err != nil {
				return err
			}
			if out.Len() != n {
				return fmt.Errorf("%d rows, want %d", out.Len(), n)
			}
			for row := range sel.All(n) {
				if got := show(out, row, bad); got != want[row] {
					return fmt.Errorf("as a row of %d of a batch %s, alone %s, for %s", sel.Count(n), got, want[row], shownRow(cols, row, p.Columns()))
				}
			}
			if err := checkFilter(p, cols, sel, arena, want); err != nil {
				return err
			}
		}
		if now := show(dirty, 0, nil); now != held {
			return fmt.Errorf("a later batch has changed the result of an earlier one of %s to %s", held, now)
		}
		arena.Release()
	}
	return nil
}

// oneByOne gives the values of each row as a batch of its own.
func oneByOne(p *Program, cols []column.Column) []string {
	var values []string
	for row := range cols[0].Len() {
		alone := make([]column.Column, len(cols))
		for i, c := range cols {
			alone[i] = column.New(c.Type())
			alone[i].AppendRow(c, row)
		}
		out, bad := p.Eval(alone, nil, 1, column.NewArena())
		values = append(values, show(out, 0, bad))
	}
	return values
}

// checkBad says what is wrong with the order of bad.
func checkBad(bad []RowError, sel column.Selection, n int) error {
	last := -1
	for _, b := range bad {
		if b.Row <= last || b.Row >= n || sel != nil && !slices.Contains(sel, int32(b.Row)) {
			return fmt.Errorf("row %d behind row %d is bad, of %d and the selection %v", b.Row, last, n, sel)
		}
		last = b.Row
	}
	return nil
}

// checkFilter says in what Filter differs from the values of the rows.
func checkFilter(p *Program, cols []column.Column, sel column.Selection, arena *column.Arena, values []string) error {
	if p.Type().Kind != column.Bool {
		return nil
	}
	var want column.Selection
	for row := range sel.All(len(values)) {
		if values[row] == "true" {
			want = append(want, int32(row))
		}
	}
	if got, _ := p.Filter(cols, sel, len(values), arena); !slices.Equal(got, want) || got == nil {
		return fmt.Errorf("filter: %v, want %v", got, want)
	}
	return nil
}

// TestGeneratorIsWide: the items of TestKernels are made by all rules, and neither is all of a column null nor
// are all rows bad.
func TestGeneratorIsWide(t *testing.T) {
	g := newGenerator(0)
	g.Rand = rand.New(rand.NewPCG(0, 2))
	used := map[string]int{}
	for range 4000 {
		count(g.item(pick(g.Rand, resultTypes()...), 3), used)
	}
	for _, families := range g.families {
		for _, family := range families {
			if used[family[0].family] == 0 {
				t.Errorf("no item is made by the rules of %q for %v", family[0].family, family[0].typ)
			}
		}
	}
}

func count(it *item, used map[string]int) {
	used[it.family]++
	for _, p := range it.parts {
		count(p, used)
	}
}
