package aggregate

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/DataDog/sketches-go/ddsketch/mapping"

	"github.com/millrace-io/millrace/engine"
)

// A naive row is a row as naive code sees it.
type naiveRow struct {
	at     engine.Time
	origin engine.PartitionID
	offset engine.Offset
	values map[string]any
}

func naiveRows(b *engine.Batch) []naiveRow {
	var rows []naiveRow
	for i := range b.Rows {
		r := naiveRow{b.At[i], b.Origin, b.Offset[i], map[string]any{}}
		for j, f := range b.Schema {
			r.values[f.Name] = valueAt(b.Columns[j], i)
		}
		rows = append(rows, r)
	}
	return rows
}

// A twin is an aggregate and naive code that gives the same: it has all rows of a group at once, in any order.
type twin struct {
	text string
	want func(rows []naiveRow) any
}

func overflow(v *big.Int) any {
	if !v.IsInt64() {
		return failure("sum: " + v.String() + " does not fit long")
	}
	return v
}

// A failure is the reason of a result that is no value.
type failure string

func twins() []twin {
	all := []twin{
		{"count()", func(rows []naiveRow) any { return big.NewInt(int64(len(rows))) }},
		{"count(*) filter (where n > 3)", func(rows []naiveRow) any {
			return big.NewInt(int64(len(where(rows, func(r naiveRow) bool { n, ok := r.values["n"].(*big.Int); return ok && n.Int64() > 3 }))))
		}},
		{"sum(finite) filter (where yes)", func(rows []naiveRow) any {
			return sumOf(present(where(rows, func(r naiveRow) bool { return r.values["yes"] == true }), "finite"))
		}},
		{"bool_and(yes)", func(rows []naiveRow) any { return logic(present(rows, "yes"), false) }},
		{"bool_or(distinct not yes)", func(rows []naiveRow) any {
			v := logic(present(rows, "yes"), false)
			if v == nil {
				return nil
			}
			return !v.(bool)
		}},
		{"sum(price)", func(rows []naiveRow) any { return wholeSumOf(present(rows, "price"), nil) }},
		{"sum(need)", func(rows []naiveRow) any { return wholeSumOf(present(rows, "need"), overflow) }},
		{"sum(distinct wide)", func(rows []naiveRow) any { return wholeSumOf(unique(present(rows, "wide")), overflow) }},
		{"avg(price)", func(rows []naiveRow) any { return decimalMean(present(rows, "price"), 2) }},
		{"avg(vast)", func(rows []naiveRow) any { return decimalMean(present(rows, "vast"), 4) }},
		{"median(price)", func(rows []naiveRow) any { return continuousOf(doubles(present(rows, "price"), 100), 1, 2) }},
	}
	for _, x := range []string{"tiny", "small", "n", "wide"} {
		all = append(all, twin{"sum(" + x + ")", func(rows []naiveRow) any { return wholeSumOf(present(rows, x), overflow) }})
	}
	for _, x := range []string{"f", "d", "finite"} {
		all = append(all,
			twin{"sum(" + x + ")", func(rows []naiveRow) any { return sumOf(present(rows, x)) }},
			twin{"sum(distinct " + x + ")", func(rows []naiveRow) any { return sumOf(unique(present(rows, x))) }},
			twin{"avg(" + x + ")", func(rows []naiveRow) any { return meanOf(present(rows, x)) }})
	}
	for _, x := range []string{"tiny", "n", "f", "d", "finite"} {
		all = append(all,
			twin{"var_samp(" + x + ")", func(rows []naiveRow) any { return varianceOf(present(rows, x), 1) }},
			twin{"stddev_pop(" + x + ")", func(rows []naiveRow) any { return root(varianceOf(present(rows, x), 0)) }},
			twin{"stddev(distinct " + x + ")", func(rows []naiveRow) any { return root(varianceOf(unique(present(rows, x)), 1)) }},
			twin{"median(" + x + ")", func(rows []naiveRow) any { return continuousOf(doubles(present(rows, x), 1), 1, 2) }},
			twin{"quantile(distinct " + x + ", 0.07)", func(rows []naiveRow) any { return continuousOf(doubles(unique(present(rows, x)), 1), 7, 100) }})
	}
	for _, x := range []string{"n", "f", "d"} {
		all = append(all, twin{"approx_quantile(" + x + ", 0.5)", func(rows []naiveRow) any { return bucketOf(doubles(present(rows, x), 1)) }})
	}
	for _, f := range randomSchema() {
		all = append(all, anyTwins(f.Name)...)
		if ordered(f.Type) {
			all = append(all, orderTwins(f.Name)...)
		}
	}
	return all
}

// anyTwins are of aggregates that take a column of any type.
func anyTwins(x string) []twin {
	first := func(rows []naiveRow) any {
		if len(rows) == 0 {
			return nil
		}
		return inOrder(rows, x)[0].values[x]
	}
	list := func(rows []naiveRow, distinct bool) any {
		var out []any
		seen := map[string]bool{}
		for _, r := range inOrder(rows, x) {
			v := r.values[x]
			if distinct {
				v = plain(v)
			}
			if !distinct || !seen[shown(v)] {
				out = append(out, v)
			}
			seen[shown(v)] = true
		}
		if out == nil {
			return nil
		}
		return out[:min(len(out), 4)]
	}
	return []twin{
		{"count(" + x + ")", func(rows []naiveRow) any { return big.NewInt(int64(len(present(rows, x)))) }},
		{"count(distinct " + x + ")", func(rows []naiveRow) any { return big.NewInt(int64(len(unique(present(rows, x))))) }},
		{"approx_count_distinct(" + x + ")", func(rows []naiveRow) any { return big.NewInt(int64(len(unique(present(rows, x))))) }},
		{"first(" + x + ")", first},
		{"last(" + x + ")", func(rows []naiveRow) any {
			if len(rows) == 0 {
				return nil
			}
			return inOrder(rows, x)[len(rows)-1].values[x]
		}},
		{"array_agg(" + x + ", 4)", func(rows []naiveRow) any { return list(rows, false) }},
		{"array_agg(distinct " + x + ", 4)", func(rows []naiveRow) any { return list(rows, true) }},
		{"arg_min(" + x + ", small)", func(rows []naiveRow) any { return champions(rows, x, "small", 1) }},
		{"arg_max(" + x + ", d)", func(rows []naiveRow) any { return champions(rows, x, "d", -1) }},
	}
}

// orderTwins are of aggregates that take a column whose values have an order.
func orderTwins(x string) []twin {
	at := func(rows []naiveRow, i func(n int) int) any {
		values := present(rows, x)
		if len(values) == 0 {
			return nil
		}
		slices.SortFunc(values, compareValues)
		return values[i(len(values))]
	}
	return []twin{
		{"min(" + x + ")", func(rows []naiveRow) any { return at(rows, func(int) int { return 0 }) }},
		{"max(distinct " + x + ")", func(rows []naiveRow) any { return at(rows, func(n int) int { return n - 1 }) }},
		{"quantile_disc(" + x + ", 0.5)", func(rows []naiveRow) any { return at(rows, func(n int) int { return (n+1)/2 - 1 }) }},
		{"quantile_disc(" + x + ", 1)", func(rows []naiveRow) any { return at(rows, func(n int) int { return n - 1 }) }},
		{"arg_max(name, " + x + ")", func(rows []naiveRow) any { return champions(rows, "name", x, -1) }},
	}
}

func where(rows []naiveRow, is func(naiveRow) bool) []naiveRow {
	return slices.DeleteFunc(slices.Clone(rows), func(r naiveRow) bool { return !is(r) })
}

// present is the values of a column that are not null.
func present(rows []naiveRow, x string) []any {
	var all []any
	for _, r := range rows {
		if v := r.values[x]; v != nil {
			all = append(all, v)
		}
	}
	return all
}

// plain is v with one zero.
func plain(v any) any {
	switch v := v.(type) {
	case float64:
		return v + 0
	case []any:
		all := []any{}
		for _, x := range v {
			all = append(all, plain(x))
		}
		return all
	}
	return v
}

func unique(values []any) []any {
	var all []any
	seen := map[string]bool{}
	for _, v := range values {
		if v = plain(v); !seen[shown(v)] {
			all = append(all, v)
		}
		seen[shown(v)] = true
	}
	return all
}

// compareValues orders values of one type that has an order, and lists of them.
func compareValues(a, b any) int {
	if a == nil || b == nil {
		return cmp.Compare(btoi(a != nil), btoi(b != nil))
	}
	switch a := a.(type) {
	case bool:
		return cmp.Compare(btoi(a), btoi(b.(bool)))
	case *big.Int:
		return a.Cmp(b.(*big.Int))
	case string:
		return strings.Compare(a, b.(string))
	case float64:
		b := b.(float64)
		if math.IsNaN(a) || math.IsNaN(b) {
			return cmp.Compare(btoi(math.IsNaN(a)), btoi(math.IsNaN(b)))
		}
		return cmp.Or(cmp.Compare(a, b), cmp.Compare(btoi(math.Signbit(b)), btoi(math.Signbit(a))))
	case []any:
		return slices.CompareFunc(a, b.([]any), compareValues)
	}
	panic("no such value")
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func comparePlaces(a, b naiveRow) int {
	byPartition := cmp.Compare(len(a.origin.Partition), len(b.origin.Partition))
	return cmp.Or(strings.Compare(a.origin.Source, b.origin.Source), byPartition, strings.Compare(a.origin.Partition, b.origin.Partition), cmp.Compare(a.offset, b.offset))
}

func inOrder(rows []naiveRow, x string) []naiveRow {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b naiveRow) int {
		return cmp.Or(cmp.Compare(a.at, b.at), comparePlaces(a, b), compareValues(a.values[x], b.values[x]))
	})
	return rows
}

func champions(rows []naiveRow, x, y string, sign int) any {
	rows = where(rows, func(r naiveRow) bool { return r.values[x] != nil && r.values[y] != nil })
	if len(rows) == 0 {
		return nil
	}
	return slices.MinFunc(rows, func(a, b naiveRow) int {
		return cmp.Or(sign*compareValues(plain(a.values[y]), plain(b.values[y])), comparePlaces(a, b), compareValues(a.values[x], b.values[x]))
	}).values[x]
}

func logic(values []any, decides bool) any {
	if len(values) == 0 {
		return nil
	}
	return slices.Contains(values, any(decides)) == decides
}

func total128(values []any) *big.Int {
	sum := new(big.Int)
	for _, v := range values {
		sum.Add(sum, v.(*big.Int))
	}
	return sum
}

func wholeSumOf(values []any, judge func(*big.Int) any) any {
	switch {
	case len(values) == 0:
		return nil
	case judge == nil:
		return total128(values)
	}
	return judge(total128(values))
}

// ratOf is the exact sum of numbers, or the double that it is if it is none.
func ratOf(values []any, of func(float64) *big.Rat) (*big.Rat, float64) {
	sum, special := new(big.Rat), 0.0
	for _, v := range values {
		f := doubles([]any{v}, 1)[0].(float64)
		if f-f != 0 {
			special += f
			continue
		}
		sum.Add(sum, of(f))
	}
	return sum, special
}

func exactly1(f float64) *big.Rat { return new(big.Rat).SetFloat64(f) }

func square(f float64) *big.Rat { return new(big.Rat).Mul(exactly1(f), exactly1(f)) }

func sumOf(values []any) any {
	if len(values) == 0 {
		return nil
	}
	sum, special := ratOf(values, exactly1)
	if special != 0 {
		return special
	}
	f, _ := sum.Float64()
	return f
}

// meanOf divides the rounded sum, where it is a double.
func meanOf(values []any) any {
	if len(values) == 0 {
		return nil
	}
	sum, special := ratOf(values, exactly1)
	if special != 0 {
		return special
	}
	n := float64(len(values))
	if f, _ := sum.Float64(); !math.IsInf(f, 0) {
		return f / n
	}
	f, _ := sum.Quo(sum, big.NewRat(1<<32, 1)).Float64()
	return f / n * (1 << 32)
}

func decimalMean(values []any, scale int) any {
	if len(values) == 0 {
		return nil
	}
	n := int64(len(values))
	sum := new(big.Rat).SetFrac(total128(values), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
	if total128(values).BitLen() > 127 {
		f, _ := sum.Quo(sum, big.NewRat(n, 1)).Float64()
		return f
	}
	f, _ := sum.Float64()
	return f / float64(n)
}

func varianceOf(values []any, less int) any {
	n := len(values)
	if n <= less {
		return nil
	}
	sum, special := ratOf(values, exactly1)
	if special != 0 {
		return math.NaN()
	}
	squares, _ := ratOf(values, square)
	squares.Mul(squares, big.NewRat(int64(n), 1))
	squares.Sub(squares, sum.Mul(sum, sum))
	f, _ := squares.Quo(squares, big.NewRat(int64(n)*int64(n-less), 1)).Float64()
	return f
}

func root(v any) any {
	if v == nil {
		return nil
	}
	return math.Sqrt(v.(float64))
}

// doubles are numbers as doubles, divided by per.
func doubles(values []any, per int64) []any {
	var all []any
	for _, v := range values {
		if whole, ok := v.(*big.Int); ok {
			v, _ = new(big.Rat).SetFrac(whole, big.NewInt(per)).Float64()
		}
		all = append(all, v)
	}
	return all
}

// continuousOf is percentile_cont of a share of.
func continuousOf(values []any, share, of int) any {
	n := len(values)
	if n == 0 {
		return nil
	}
	slices.SortFunc(values, compareValues)
	i, rest := (n-1)*share/of, float64((n-1)*share%of)/float64(of)
	x := values[i].(float64)
	if rest == 0 {
		return x
	}
	y := values[i+1].(float64)
	if x == y {
		return x
	}
	return float64(x*(1-rest)) + float64(y*rest)
}

// bucketOf is what DDSketch's buckets make of the value that quantile_disc at 0.5 gives.
func bucketOf(values []any) any {
	n := len(values)
	if n == 0 {
		return nil
	}
	slices.SortFunc(values, compareValues)
	v := values[(n+1)/2-1].(float64)
	buckets, err := mapping.NewLogarithmicMapping(relativeError)
	if err != nil {
		panic(err)
	}
	switch size := math.Abs(v); {
	case v-v != 0:
		return v
	case size <= buckets.MinIndexableValue():
		return 0.0
	default:
		return math.Copysign(buckets.Value(buckets.Index(min(size, buckets.MaxIndexableValue()))), v)
	}
}
