package expr

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine/column"
)

// benchRows is about what a batch of a frame has.
const benchRows = 4096

// A workload is an expression as pipelines have them.
type workload struct{ name, src string }

func workloads() []workload {
	return []workload{
		{"compare-long", "followers > 1000"},
		{"compare-text", "category = 'art'"},
		{"compare-mixed", "followers * 1.5 <= score"},
		{"condition", "downloaded = 1 AND category IN ('art', 'travel', 'diy-and-crafts') AND title IS NOT NULL"},
		{"between", "followers BETWEEN 100 AND 10000"},
		{"arithmetic", "followers * 2 + downloaded"},
		{"divide", "followers / (downloaded + 1)"},
		{"case", "CASE WHEN followers >= 1000000 THEN 'large' WHEN followers >= 1000 THEN 'middle' ELSE 'small' END"},
		{"case-operand", "CASE category WHEN 'art' THEN 1 WHEN 'travel' THEN 2 ELSE 0 END"},
		{"coalesce", "coalesce(title, category, 'none')"},
		{"nullif", "nullif(title, 'No Title Data Available')"},
		{"greatest", "greatest(followers, downloaded)"},
		{"concat_ws", "concat_ws(' ', first, last)"},
		{"concat", "'Local save in /data/' || category || '/' || followers"},
		{"like-part", "title LIKE '%recipe%'"},
		{"like-start", "title LIKE 'The %'"},
		{"like-any", "title LIKE '%r_c_pe%end'"},
		{"lower", "lower(title)"},
		{"trim", "trim(title)"},
		{"replace", "replace(title, 'Recipe', 'recipe')"},
		{"substr", "substr(title, 3, 8)"},
		{"length", "length(title)"},
		{"cast-long", "CAST(digits AS long)"},
		{"cast-double", "CAST(digits AS double)"},
		{"cast-text", "CAST(followers AS string)"},
		{"try_cast", "TRY_CAST(title AS int)"},
		{"to_timestamp", "to_timestamp(posted, 'iso', 'yyyy:MM:dd HH:mm:ss', 'epoch_s')"},
		{"year", "year(at)"},
		{"date_trunc", "date_trunc('hour', at)"},
		{"array", "array(score, score * 2.0)"},
		{"element", "array(first, last)[2]"},
		{"regexp_like", "regexp_like(title, '^The [a-z]+ Recipe')"},
		{"regexp_extract", "regexp_extract(title, 'Recipe')"},
		{"regexp_replace", "regexp_replace(title, '^The ', '')"},
		{"regexp_replace-all", "regexp_replace(title, '[0-9]', '#', 'g')"},
	}
}

// grouped are those for which Go's regexp allocates a slice for each row that matches: it has no other way to
// say where a group is.
func grouped() []workload {
	return []workload{
		{"regexp_extract-group", "regexp_extract(title, 'Recipe ([0-9]+)', 1)"},
		{"regexp_replace-group", `regexp_replace(title, '([0-9]+) more', '\1')`},
	}
}

func benchSchema() column.Schema {
	return column.Schema{
		{Name: "followers", Type: column.Of(column.Long)}, {Name: "downloaded", Type: column.Of(column.Int)}, {Name: "score", Type: column.Of(column.Double)},
		{Name: "category", Type: column.Of(column.String), Required: true}, {Name: "title", Type: column.Of(column.String)},
		{Name: "first", Type: column.Of(column.String)}, {Name: "last", Type: column.Of(column.String)}, {Name: "posted", Type: column.Of(column.String)},
		{Name: "digits", Type: column.Of(column.String)}, {Name: "at", Type: column.Of(column.Timestamp)},
	}
}

// benchColumns are rows like those of pins; of each nullable column one in 20 is null.
func benchColumns() []column.Column {
	r := rand.New(rand.NewPCG(1, 1))
	var cols []column.Column
	for _, f := range benchSchema() {
		c := column.New(f.Type)
		for range benchRows {
			if !f.Required && r.IntN(20) == 0 {
				c.AppendNull()
				continue
			}
			n := r.Int64N(1 << r.IntN(24))
			switch c := c.(type) {
			case *column.Longs:
				c.Append(1_600_000_000_000_000 + n*1_000_003)
				if f.Type.Kind == column.Long {
					c.Values[len(c.Values)-1] = n
				}
			case *column.Ints:
				c.Append(int32(n % 2))
			case *column.Doubles:
				c.Append(float64(n) / 8)
			case *column.Texts:
				c.AppendString(benchText(f.Name, n))
			}
		}
		cols = append(cols, c)
	}
	return cols
}

func benchText(name string, n int64) string {
	switch name {
	case "category":
		return []string{"art", "travel", "diy-and-crafts", "christmas", "quotes"}[n%5]
	case "title":
		if n%4 == 0 {
			return "No Title Data Available"
		}
		return fmt.Sprintf([]string{"The best Recipe %d ", " 10 ideas for an evening in town, and %d more to the end", "A lemon recipe for %d guests"}[n%4-1], n)
	case "posted":
		return []string{fmt.Sprintf("2021-03-%02dT10:11:12", 1+n%28), fmt.Sprintf("2021:03:%02d 10:11:12", 1+n%28), fmt.Sprint(1_600_000_000 + n)}[n%3]
	case "digits":
		return fmt.Sprint(n)
	}
	return strings.Repeat("ab", 2+int(n%4))
}

// BenchmarkEval is the cost of a row of a batch of 4,096, and the allocations of the batch.
func BenchmarkEval(b *testing.B) {
	cols := benchColumns()
	for _, w := range append(workloads(), grouped()...) {
		b.Run(w.name, func(b *testing.B) {
			p, err := Compile(w.src, benchSchema())
			if err != nil {
				b.Fatal(err)
			}
			var pool column.Pool
			b.ReportAllocs()
			start := cpu(b)
			for b.Loop() {
				arena := pool.Get()
				p.Eval(cols, nil, benchRows, arena)
				arena.Release()
			}
			b.ReportMetric(float64(cpu(b)-start)/float64(b.N)/benchRows, "cpu-ns/row")
		})
	}
}

// cpu is the time that processors have spent on this process: unlike the time that has passed, it does not
// count who else is at work on the machine.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCompile is the cost of an expression itself.
func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile("CASE WHEN followers >= 1000 THEN lower(title) ELSE concat_ws(' ', first, last) END", benchSchema()); err != nil {
			b.Fatal(err)
		}
	}
}

// TestNoAllocationPerRow: a batch of 4,096 rows costs a handful of allocations, whole or by a selection.
func TestNoAllocationPerRow(t *testing.T) {
	const handful = 8
	cols := benchColumns()
	half := column.Selection{}
	for i := int32(0); i < benchRows; i += 2 {
		half = append(half, i)
	}
	for _, w := range workloads() {
		p, err := Compile(w.src, benchSchema())
		if err != nil {
			t.Fatal(err)
		}
		for name, sel := range map[string]column.Selection{"all": nil, "half": half} {
			var pool column.Pool
			got := testing.AllocsPerRun(5, func() {
				arena := pool.Get()
				if _, bad := p.Eval(cols, sel, benchRows, arena); len(bad) > 0 {
					t.Fatalf("%s: %v", w.src, bad[0])
				}
				arena.Release()
			})
			if got > handful {
				t.Errorf("%s, %s rows: %v allocations a batch, want %d at most", w.src, name, got, handful)
			}
		}
	}
}
