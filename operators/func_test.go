package operators_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/operators"
)

type Pin struct {
	Title *string `col:"title"`
	Count int64   `col:"count"`
}

type Score struct {
	Score float64 `col:"score"`
	Title *string `col:"title"`
}

// A step of a pipeline built in Go: it takes two columns of each row, replaces one and adds another.
func ExampleFunc() {
	score := operators.Func(func(p Pin) (Score, error) {
		if p.Count < 0 {
			return Score{}, fmt.Errorf("count is %d: expected none or more", p.Count)
		}
		if p.Title != nil {
			*p.Title = strings.ToUpper(*p.Title)
		}
		return Score{Score: float64(p.Count) / 10, Title: p.Title}, nil
	})
	step := engine.Step{Name: "score", Config: score}

	optest.Print(step.Config, "id: long!, title: string, count: long",
		`{"id": 1, "title": "Lash", "count": 25}`,
		`{"id": 2, "count": 0}`,
		`{"id": 3, "count": -1}`,
		`{"id": 4}`)
	// Output:
	// columns id: long!, title: string, count: long, score: double!
	// quarantine custom: count is -1: expected none or more {"id":3,"title":null,"count":-1}
	// quarantine required count: the function needs a value: its field is no pointer {"id":4,"title":null,"count":null}
	// row {"id":1,"title":"LASH","count":25,"score":2.5}
	// row {"id":2,"title":null,"count":0,"score":0}
}

// One row becomes a row for each tag.
func ExampleFuncMany() {
	type row struct {
		Tags string `col:"tags"`
	}
	type tag struct {
		Tag string `col:"tag"`
	}
	split := operators.FuncMany(func(r row, emit func(tag)) error {
		for t := range strings.SplitSeq(r.Tags, ",") {
			if t == "" {
				return errors.New("an empty tag")
			}
			emit(tag{t})
		}
		return nil
	})
	optest.Print(split, "id: long!, tags: string!",
		`{"id": 1, "tags": "a,b"}`,
		`{"id": 2, "tags": "c,,d"}`,
		`{"id": 3, "tags": "e"}`)
	// Output:
	// columns id: long!, tags: string!, tag: string!
	// quarantine custom: an empty tag {"id":2,"tags":"c,,d"}
	// row {"id":1,"tags":"a,b","tag":"a"}
	// row {"id":1,"tags":"a,b","tag":"b"}
	// row {"id":3,"tags":"e","tag":"e"}
}

// TestFuncManySpreads: a row that is made has place, times and key of the one it comes of.
func TestFuncManySpreads(t *testing.T) {
	type id struct {
		ID int64 `col:"id"`
	}
	twice := operators.FuncMany(func(r id, emit func(id)) error {
		emit(r)
		emit(r)
		return nil
	})
	in := optest.Batch(optest.Schema("id: long!"), `{"id": 1}`, `{"id": 2}`)
	op, out, err := twice.Bind(in.Schema)
	if err != nil {
		t.Fatal(err)
	}
	var sink optest.Sink
	optest.Apply(op, in, out, &sink)
	b := sink.Last()
	for row := range 4 {
		of := row / 2
		if b.At[row] != in.At[of] || b.Mark[row] != in.Mark[of] || b.Offset[row] != in.Offset[of] || b.Recorded[row] != in.Recorded[of] {
			t.Errorf("row %d has time %d, mark %d, offset %d and was recorded at %d, want those of row %d", row, b.At[row], b.Mark[row], b.Offset[row], b.Recorded[row], of)
		}
	}
	in.Recorded = nil
	if optest.Apply(op, in, out, &sink); sink.Last().Recorded != nil {
		t.Error("rows of no record have its timestamp")
	}
}

// every has a field of each type, and a pointer to each.
type every struct {
	Bool   bool        `col:"bool"`
	Int    int32       `col:"int"`
	Long   int64       `col:"long"`
	Float  float32     `col:"float"`
	Double float64     `col:"double"`
	String string      `col:"string"`
	Binary []byte      `col:"binary"`
	Date   int32       `col:"date,date"`
	Time   time.Time   `col:"time"`
	At     engine.Time `col:"at"`

	BoolP   *bool        `col:"boolp"`
	IntP    *int32       `col:"intp"`
	LongP   *int64       `col:"longp"`
	FloatP  *float32     `col:"floatp"`
	DoubleP *float64     `col:"doublep"`
	StringP *string      `col:"stringp"`
	BinaryP *[]byte      `col:"binaryp"`
	DateP   *int32       `col:"datep,date"`
	TimeP   *time.Time   `col:"timep"`
	AtP     *engine.Time `col:"atp"`

	Other struct{ A any } // no column
}

const everySchema = "bool: bool!, int: int!, long: long!, float: float!, double: double!, string: string!, binary: binary!, date: date!, time: timestamp!, at: timestamp!, " +
	"boolp: bool, intp: int, longp: long, floatp: float, doublep: double, stringp: string, binaryp: binary, datep: date, timep: timestamp, atp: timestamp, list: array<int>"

func everyRows() []string {
	values := `"bool%[1]s": true, "int%[1]s": -5, "long%[1]s": 1099511627776, "float%[1]s": 0.5, "double%[1]s": -1.25, "string%[1]s": "é%[2]d", "binary%[1]s": "AAH/", ` +
		`"date%[1]s": "1969-12-31", "time%[1]s": "2024-05-01T10:00:00.000001Z", "at%[1]s": "1950-01-01T00:00:00Z"`
	var rows []string
	for i := range 20 {
		required, nullable := fmt.Sprintf(values, "", i), fmt.Sprintf(values, "p", i)
		rows = append(rows, "{"+required+", "+nullable+`, "list": [1]}`, "{"+required+"}")
	}
	return rows
}

func identity(e every) (every, error) { return e, nil }

func TestFuncTypes(t *testing.T) {
	rows := everyRows()
	want := optest.Run(operators.Func(func(struct{}) (struct{}, error) { return struct{}{}, nil }), optest.Batch(optest.Schema(everySchema), rows...))
	got := optest.Run(operators.Func(identity), optest.Batch(optest.Schema(everySchema), rows...))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows changed on their way through structs (-before +after):\n%s", diff)
	}
	optest.Conform(t, operators.Func(identity), everySchema, rows...)
}

func TestFuncManyTypes(t *testing.T) {
	twice := operators.FuncMany(func(e every, emit func(every)) error {
		emit(e)
		if e.StringP == nil {
			return errors.New("no string")
		}
		emit(e)
		return nil
	})
	optest.Conform(t, twice, everySchema, everyRows()...)
}

// TestFuncStringsStay: a function may keep strings, whatever happens to the batch.
func TestFuncStringsStay(t *testing.T) {
	type row struct {
		S string `col:"s"`
	}
	for _, sel := range [][]int32{nil, {5}} {
		var kept []string
		keep := operators.Func(func(r row) (struct{}, error) {
			kept = append(kept, r.S)
			return struct{}{}, nil
		})
		var rows, want []string
		for i := range 10 {
			rows = append(rows, fmt.Sprintf(`{"s": "text %d"}`, i))
			want = append(want, fmt.Sprintf("text %d", i))
		}
		if sel != nil {
			want = want[5:6]
		}
		b := optest.Batch(optest.Schema("s: string"), rows...)
		b.Sel = sel
		optest.Run(keep, b)
		b.Arena.Release()
		optest.BatchIn(b.Arena, b.Schema, rows[3:]...)
		if diff := cmp.Diff(want, kept); diff != "" {
			t.Error(diff)
		}
	}
}

func TestFuncFaults(t *testing.T) {
	type in struct {
		Titel string  `col:"titel"`
		Count float64 `col:"count"`
		Any   any     `col:"title"`
		Day   int32   `col:"count,day"`
	}
	type out struct {
		A int32 `col:"a"`
		B int32 `col:"a"`
	}
	_, _, err := operators.Func(func(in) (out, error) { return out{}, nil }).Bind(optest.Schema("title: string, count: long"))
	want := []string{
		`field in.Titel: no column "titel" (did you mean title?)`,
		`field in.Count takes a double: column "count" is a long`,
		"field in.Any: no column goes with interface {} `col:\"title\"`",
		"field in.Day: no column goes with int32 `col:\"count,day\"`",
		`field out.B: column "a" is here twice`,
	}
	if diff := cmp.Diff(want, optest.FaultsOf(err)); diff != "" {
		t.Error(diff)
	}
	_, _, err = operators.FuncMany(func(int, func(out)) error { return nil }).Bind(nil)
	if diff := cmp.Diff([]string{"expected a struct, found int", want[4]}, optest.FaultsOf(err)); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkFunc(b *testing.B) {
	score := operators.Func(func(p Pin) (Score, error) { return Score{Score: float64(p.Count), Title: p.Title}, nil })
	optest.Benchmark(b, score, "id: long!, title: string, count: long", func(i int) string {
		return fmt.Sprintf(`{"id": %d, "title": "Lash", "count": %d}`, i, i)
	})
}
