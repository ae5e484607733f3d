//go:build real

package expr

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/scripts/realtest"
)

// TestOracle: thousands of random expressions over random rows of all types give what DuckDB gives, value by
// value: the same value, or null, or none where DuckDB reports an error.
func TestOracle(t *testing.T) {
	const seeds, expressions, rows = 4, 1000, 40
	duck := startDuck(t)
	for seed := range uint64(seeds) {
		g := newGenerator(seed)
		cols := g.samples(rows)
		duck.load(t, cols)
		for range expressions {
			it := g.item(pick(g.Rand, resultTypes()...), 3)
			if err := duck.compare(it, cols); err != nil {
				it = smallest(it, func(part *item) bool { return duck.compare(part, cols) != nil })
				t.Errorf("seed %d: %v", seed, duck.compare(it, cols))
			}
		}
	}
}

// TestOraclePrecedence: DuckDB reads operators without needless parentheses as this package does: what they give is
// the same.
func TestOraclePrecedence(t *testing.T) {
	const expressions, rows = 1000, 20
	duck := startDuck(t)
	g := newGenerator(1)
	cols := g.samples(rows)
	duck.load(t, cols)
	for range expressions {
		b := g.operation(4)
		p, err := Compile(b.text, sampleSchema())
		if err != nil {
			t.Fatalf("%s, for %s: %v", b.text, b.whole, err)
		}
		if err := duck.compare(&item{typ: p.Type(), src: b.text, duck: b.text}, cols); err != nil {
			t.Error(err)
		}
	}
}

// A duck is DuckDB with the rows.
type duck struct{ *realtest.DuckDB }

func startDuck(t *testing.T) *duck {
	t.Helper()
	return &duck{realtest.StartDuckDB(t)}
}

// load gives DuckDB the rows as the table rows, numbered by its column row.
func (d *duck) load(t *testing.T, cols []column.Column) {
	t.Helper()
	names := []string{"row"}
	for _, f := range sampleSchema() {
		names = append(names, f.Name)
	}
	var rows []string
	for i := range cols[0].Len() {
		values := []string{strconv.Itoa(i)}
		for _, c := range cols {
			_, value := constantTexts(c, i)
			values = append(values, value)
		}
		rows = append(rows, "("+strings.Join(values, ", ")+")")
	}
	if _, err := d.Ask("CREATE OR REPLACE TABLE rows AS SELECT * FROM (VALUES " + strings.Join(rows, ", ") + ") AS v(" + strings.Join(names, ", ") + ")"); err != nil {
		t.Fatal(err)
	}
}

// compare says for which row the answers differ. Where this package has no value, DuckDB must report an error.
func (d *duck) compare(it *item, cols []column.Column) error {
	p, err := Compile(it.src, sampleSchema())
	if err != nil {
		return err
	}
	n := cols[0].Len()
	out, bad := p.Eval(cols, nil, n, column.NewArena())
	differ := func(row int, got, want string) error {
		return fmt.Errorf("%s\n  gives   %s\n  DuckDB  %s\n  for     %s\n  as      %s", it.src, got, want, shownRow(cols, row, p.Columns()), it.duck)
	}
	var sound []int
	next := bad
	for row := range n {
		if len(next) > 0 && next[0].Row == row {
			next = next[1:]
			continue
		}
		sound = append(sound, row)
	}
	answers, err := d.values(it, sound)
	if err != nil {
		for _, row := range sound { // which of them?
			if _, err := d.values(it, []int{row}); err != nil {
				return differ(row, valueOf(out, row), err.Error())
			}
		}
		return fmt.Errorf("%s: DuckDB: %w", it.src, err)
	}
	for i, row := range sound {
		if got := valueOf(out, row); got != answers[i] {
			return differ(row, got, answers[i])
		}
	}
	for i := 0; i < len(bad); i += 1 + len(bad)/3 { // each is a question of its own: some of them
		if answers, err := d.values(it, []int{bad[i].Row}); err == nil {
			return differ(bad[i].Row, bad[i].Detail, answers[0])
		}
	}
	return nil
}

// values asks for the values of some rows, as valueOf has them. DuckDB has TRY, but it has taken DuckDB down: an
// error in one row is one of all that were asked for.
func (d *duck) values(it *item, rows []int) ([]string, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	list := strings.Trim(strings.ReplaceAll(fmt.Sprint(rows), " ", ","), "[]")
	answers, err := d.Ask("SELECT " + asked(it.duck, it.typ) + " FROM rows WHERE row IN (" + list + ") ORDER BY row")
	if err != nil {
		return nil, err
	}
	var values []string
	for _, answer := range answers {
		values = append(values, answeredValue(answer[0], it.typ))
	}
	if len(values) != len(rows) {
		return nil, fmt.Errorf("%d rows, want %d", len(values), len(rows))
	}
	return values, nil
}

// asked is an expression so that Python can hold what it gives: times as numbers.
func asked(duck string, t column.Type) string {
	switch {
	case t.Kind == column.Date:
		return "CAST(" + duck + " AS date) - DATE '1970-01-01'"
	case t.Kind == column.Timestamp:
		return "epoch_us(CAST(" + duck + " AS timestamp))"
	case t.Kind == column.Array && t.Elem() == column.Of(column.Timestamp):
		return "list_transform(" + duck + ", e -> epoch_us(e))"
	}
	return duck
}

// answeredValue is a value that DuckDB gave, as valueOf has it.
func answeredValue(v any, t column.Type) string {
	if v == nil {
		return "null"
	}
	switch v := v.(type) {
	case string:
		if t.Kind != column.Float && t.Kind != column.Double {
			return v
		}
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return v
		}
		return exact(f)
	case []any:
		var elems []string
		for _, e := range v {
			elems = append(elems, answeredValue(e, t.Elem()))
		}
		return fmt.Sprintf("%q", elems)
	}
	return fmt.Sprint(v)
}

// exact is a number in a form that is different for different numbers, zeros with another sign too.
func exact(f float64) string {
	if f == 0 && math.Signbit(f) {
		return "-0"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// valueOf is a value of a column.
func valueOf(c column.Column, row int) string {
	if c.Nulls().Null(row) {
		return "null"
	}
	switch c := c.(type) {
	case *column.Bools:
		return strconv.FormatBool(c.Values[row])
	case *column.Ints:
		return strconv.Itoa(int(c.Values[row]))
	case *column.Longs:
		return strconv.FormatInt(c.Values[row], 10)
	case *column.Floats:
		return exact(float64(c.Values[row]))
	case *column.Doubles:
		return exact(c.Values[row])
	case *column.Texts:
		if c.Type().Kind == column.Binary {
			return hex.EncodeToString(c.At(row))
		}
		return string(c.At(row))
	}
	list := c.(*column.List)
	var elems []string
	for i := list.Offsets[row]; i < list.Offsets[row+1]; i++ {
		elems = append(elems, valueOf(list.Elem, int(i)))
	}
	return fmt.Sprintf("%q", elems)
}
