//go:build real

package aggregate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/scripts/realtest"
)

// TestOracle: every aggregate of random rows gives for every group what DuckDB gives, with nulls, filters and DISTINCT.
// Sums and means of doubles, which DuckDB rounds on the way, are as near as that lets them be.
func TestOracle(t *testing.T) {
	const tables = 20
	duck := realtest.StartDuckDB(t)
	for seed := range uint64(tables) {
		g := rand.New(rand.NewPCG(seed, 8))
		b, groups := oracleRows(g, []int{0, 1, 5, 40, 400}[seed%5])
		load(t, duck, b, groups)
		for _, q := range questions(g) {
			compareWithDuck(t, duck, q, b, groups)
		}
	}
}

// A question is an aggregate, and how DuckDB is asked for it.
type question struct{ ours, duck string }

func oracleSchema() column.Schema {
	of := func(name string, k column.Kind) column.Field { return column.Field{Name: name, Type: column.Of(k)} }
	return column.Schema{of("yes", column.Bool), of("tiny", column.Byte), of("small", column.Short), of("n", column.Int), of("wide", column.Long),
		of("f", column.Float), of("d", column.Double), {Name: "price", Type: column.DecimalOf(10, 2)}, of("name", column.String),
		of("day", column.Date), of("moment", column.Timestamp), of("u", column.Int), of("s", column.Double)}
}

// oracleRows are rows of a table, and their groups. u is another number in every row; s may be NaN or infinite.
func oracleRows(g *rand.Rand, n int) (*engine.Batch, []uint32) {
	schema := oracleSchema()
	var cols []column.Column
	for _, f := range schema {
		cols = append(cols, column.New(f.Type))
	}
	var groups []uint32
	numbers := g.Perm(n)
	for row := range n {
		groups = append(groups, uint32(g.IntN(4)))
		for i, f := range schema {
			if g.IntN(4) == 0 {
				cols[i].AppendNull()
				continue
			}
			switch c := cols[i].(type) {
			case *column.Bools:
				c.Append(g.IntN(3) > 0)
			case *column.Bytes:
				c.Append(int8(g.IntN(256) - 128))
			case *column.Shorts:
				c.Append(int16(g.IntN(20) - 10))
			case *column.Ints:
				v := g.IntN(50) - 25
				if f.Name == "u" {
					v = numbers[row]
				}
				c.Append(int32(v))
			case *column.Longs:
				c.Append(g.Int64N(1e13) - 5e12)
			case *column.Floats:
				c.Append(float32(g.IntN(100)-50) / 8)
			case *column.Doubles:
				v := math.Abs(g.NormFloat64()) * 1000 // of one sign: DuckDB rounds on the way
				if f.Name == "s" {
					v = []float64{math.NaN(), math.Inf(1), math.Inf(-1), v, 0}[g.IntN(5)]
				}
				c.Append(v)
			case *column.Decimals:
				c.Append(column.Int128Of(g.Int64N(1e7) - 5e6))
			case *column.Texts:
				c.AppendString([]string{"", "a", "b", "ab", "é", "zz"}[g.IntN(6)])
			}
		}
	}
	b := batch(schema, cols)
	for i := range b.At {
		b.At[i] = engine.Time(g.IntN(n))
	}
	return b, groups
}

func load(t *testing.T, duck *realtest.DuckDB, b *engine.Batch, groups []uint32) {
	t.Helper()
	defs := "row INT, g INT, instant BIGINT"
	for _, f := range b.Schema {
		defs += ", " + f.Name + " " + duckType(f.Type)
	}
	if _, err := duck.Ask("CREATE OR REPLACE TABLE rows (" + defs + ")"); err != nil {
		t.Fatal(err)
	}
	var rows []string
	for row := range b.Rows {
		values := []string{strconv.Itoa(row), strconv.Itoa(int(groups[row])), strconv.Itoa(int(b.At[row]))}
		for _, c := range b.Columns {
			values = append(values, duckLiteral(c, row))
		}
		rows = append(rows, "("+strings.Join(values, ", ")+")")
	}
	if len(rows) == 0 {
		return
	}
	if _, err := duck.Ask("INSERT INTO rows VALUES " + strings.Join(rows, ", ")); err != nil {
		t.Fatal(err)
	}
}

func duckType(t column.Type) string {
	switch t.Kind {
	case column.Byte:
		return "TINYINT"
	case column.Short:
		return "SMALLINT"
	case column.Long:
		return "BIGINT"
	case column.String:
		return "VARCHAR"
	}
	return t.String()
}

func duckLiteral(c column.Column, row int) string {
	if c.Nulls().Null(row) {
		return "NULL"
	}
	switch c := c.(type) {
	case *column.Floats, *column.Doubles:
		return "'" + shown(valueAt(c, row)) + "'"
	case *column.Texts:
		return "'" + string(c.At(row)) + "'"
	case *column.Decimals:
		return string(c.Values[row].AppendDecimal(nil, c.Type().Scale()))
	case *column.Ints:
		if c.Type().Kind == column.Date {
			return fmt.Sprintf("DATE '1970-01-01' + (%d)", c.Values[row])
		}
	case *column.Longs:
		if c.Type().Kind == column.Timestamp {
			return fmt.Sprintf("make_timestamp(%d)", c.Values[row])
		}
	}
	return shown(valueAt(c, row))
}

// questions are of every aggregate and column that fit, each with and without DISTINCT and a filter.
func questions(g *rand.Rand) []question {
	all := []question{{"count()", "count(*)"}, {"bool_and(yes)", ""}, {"bool_or(yes)", ""}, {"bool_and(distinct n > 0)", ""}}
	same := func(texts ...string) {
		for _, text := range texts {
			all = append(all, question{text, ""})
		}
	}
	share := []string{"0", "0.07", "0.25", "0.5", "0.9", "1"}[g.IntN(6)]
	distinct := []string{"", "distinct "}[g.IntN(2)]
	for _, f := range oracleSchema() {
		x := f.Name
		same("count("+x+")", "count(distinct "+x+")", "min("+x+")", "max("+distinct+x+")", "arg_min("+x+", u)", "arg_max("+x+", u)", "arg_max(u, "+x+") filter (where u is null)")
		all = append(all,
			question{"approx_count_distinct(" + x + ")", "count(distinct " + x + ")"},
			question{"first(" + x + ")", "first(" + x + " ORDER BY instant, row)"},
			question{"last(" + x + ")", "last(" + x + " ORDER BY instant, row)"})
		if f.Type.Kind != column.Bool {
			same("quantile_disc(" + x + ", " + share + ")")
		}
		if !f.Type.Kind.Numeric() || x == "s" {
			continue
		}
		same("sum("+distinct+x+")", "avg("+distinct+x+")", "stddev("+distinct+x+")", "var_samp("+x+")", "stddev_pop("+x+")", "var_pop("+x+")")
		all = append(all,
			question{"median(" + distinct + x + ")", "median(" + distinct + x + "::double)"},
			question{"quantile(" + distinct + x + ", " + share + ")", "quantile_cont(" + distinct + x + "::double, " + share + ")"})
	}
	for _, x := range []string{"n", "name", "d", "yes"} {
		all = append(all, question{"array_agg(" + x + ", 3)", "list(" + x + " ORDER BY instant, row)[1:3]"})
	}
	for i, q := range all {
		if all[i].duck == "" {
			all[i].duck = q.ours
		}
		if g.IntN(2) == 0 && !strings.Contains(q.ours, "filter") {
			const filter = " filter (where n > 3 or name is null)"
			all[i] = question{q.ours + filter, filtered(all[i].duck, filter)}
		}
	}
	return all
}

// filtered is DuckDB's question with a filter behind the call, which an index may follow.
func filtered(text, filter string) string {
	if list, index, ok := strings.Cut(text, "["); ok {
		return "(" + list + filter + ")[" + index
	}
	return text + filter
}

func compareWithDuck(t *testing.T, duck *realtest.DuckDB, q question, b *engine.Batch, groups []uint32) {
	t.Helper()
	call, err := Parse(q.ours)
	if err != nil {
		t.Fatalf("%s: %v", q.ours, err)
	}
	agg, err := call.Bind(b.Schema)
	if err != nil {
		t.Fatalf("%s: %v", q.ours, err)
	}
	state := agg.NewState()
	state.Grow(4)
	in, rows, bad := agg.Eval(b)
	if len(bad) > 0 {
		t.Fatal(bad)
	}
	var taken []int32
	var of []uint32
	for row := range rows.All(b.Rows) {
		taken, of = append(taken, int32(row)), append(of, groups[row])
	}
	state.Add(in, taken, of)
	out := column.New(agg.Type)
	state.Result(out, []uint32{0, 1, 2, 3}, func(_ int, detail string) { t.Errorf("%s: %s", q.ours, detail) })
	asked := q.duck
	switch agg.Type.Kind {
	case column.Date:
		asked = asked + " - DATE '1970-01-01'"
	case column.Timestamp:
		asked = "epoch_us(" + asked + ")"
	case column.Decimal:
		asked = "CAST(" + asked + " AS VARCHAR)"
	}
	answers, err := duck.Ask("SELECT g, " + asked + " FROM rows GROUP BY g ORDER BY g")
	if err != nil {
		t.Errorf("DuckDB, asked %s: %v", asked, err)
		return
	}
	for _, answer := range answers {
		g, _ := strconv.Atoi(fmt.Sprint(answer[0]))
		got := oracleText(out, g)
		if want := answered(answer[1]); !alike(got, want) {
			t.Errorf("%s, group %d of %d rows: gives %s, DuckDB %s", q.ours, g, b.Rows, got, want)
		}
	}
}

func oracleText(c column.Column, row int) string {
	if d, ok := c.(*column.Decimals); ok && !c.Nulls().Null(row) {
		return string(d.Values[row].AppendDecimal(nil, c.Type().Scale()))
	}
	switch v := valueAt(c, row).(type) {
	case string:
		return v
	case []any:
		var all []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				all = append(all, s)
			} else {
				all = append(all, shown(x))
			}
		}
		return fmt.Sprintf("%q", all)
	default:
		return shown(v)
	}
}

func answered(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case []any:
		var all []string
		for _, x := range v {
			all = append(all, answered(x))
		}
		return fmt.Sprintf("%q", all)
	}
	return fmt.Sprint(v)
}

// alike says whether both texts are the same, or of numbers that are but for rounding.
func alike(a, b string) bool {
	if a == b {
		return true
	}
	x, err := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	if err != nil || err2 != nil {
		return false
	}
	const near = 1e-12
	return x == y || x != x && y != y || math.Abs(x-y) <= near*max(math.Abs(x), math.Abs(y))
}
