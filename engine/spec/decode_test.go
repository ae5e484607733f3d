package spec

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

func parseText(t testing.TB, yaml string) Node {
	t.Helper()
	n, err := Parse("p.yaml", []byte(yaml), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func Example() {
	type Config struct {
		By     []string      `yaml:"by,required,scalar"`
		Within time.Duration `yaml:"within,required"`
		Size   Bytes         `yaml:"size"`
	}
	node, err := Parse("dedupe.yaml", []byte("by: [id]\nwithin: 7d\n"), nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	config := Config{Size: 64 << 10} // the default
	fmt.Println(node.Decode(&config), config.By, config.Within, config.Size)

	node, _ = Parse("dedupe.yaml", []byte("by: id\nwithin: 7\nsise: 1MB\n"), nil, nil)
	fmt.Println(node.Decode(&config).(Errors).String())
	// Output:
	// <nil> [id] 168h0m0s 64KiB
	// dedupe.yaml:2:9: expected a duration such as 30s, 5m or 7d, found "7", which lacks a unit: units are ms, s, m, h, d; write 7s
	//     2 | within: 7
	//       |         ^
	// dedupe.yaml:3:1: unknown key "sise": expected by, within or size (did you mean size?)
	//     3 | sise: 1MB
	//       | ^
}

type everything struct {
	embedded
	Text    string               `yaml:"text"`
	Pointer *string              `yaml:"pointer"`
	Nothing *string              `yaml:"nothing"`
	Bool    bool                 `yaml:"bool"`
	Int     int                  `yaml:"int"`
	Small   int8                 `yaml:"small"`
	Uint    uint32               `yaml:"uint"`
	Float   float64              `yaml:"float"`
	Wait    time.Duration        `yaml:"wait"`
	Size    Bytes                `yaml:"size"`
	Type    column.Type          `yaml:"type"`
	Schema  column.Schema        `yaml:"schema"`
	List    []int                `yaml:"list"`
	One     []string             `yaml:"one,scalar"`
	Enums   []string             `yaml:"enums" enum:"a|b"`
	Map     Map[*embedded]       `yaml:"map"`
	Deep    Map[[]time.Duration] `yaml:"deep"`
	Kept    string               `yaml:"kept"`
	private string
}

type embedded struct {
	Inner string `yaml:"inner"`
}

func TestDecodeKinds(t *testing.T) {
	n := parseText(t, `
inner: in
text: 007
pointer: p
nothing:
bool: true
int: -5
small: "127"
uint: 5
float: 1e3
wait: 1d2h
size: 2 KiB
type: array<double>
schema: {b: long!, a: string}
list: [1, 2]
one: x
enums: [b, a]
map: {z: {inner: i}, y: }
deep: {k: [1s, 2ms]}
`)
	text := "p"
	want := everything{
		embedded: embedded{"in"}, Text: "007", Pointer: &text, Bool: true, Int: -5, Small: 127, Uint: 5, Float: 1000,
		Wait: 26 * time.Hour, Size: 2048, Type: column.ArrayOf(column.Double),
		Schema: column.Schema{{Name: "b", Type: column.Of(column.Long), Required: true}, {Name: "a", Type: column.Of(column.String)}},
		List:   []int{1, 2}, One: []string{"x"}, Enums: []string{"b", "a"},
		Map:  Map[*embedded]{{Key: "z", Value: &embedded{"i"}}, {Key: "y"}},
		Deep: Map[[]time.Duration]{{Key: "k", Value: []time.Duration{time.Second, 2 * time.Millisecond}}},
		Kept: "default", private: "left alone",
	}
	got := everything{Kept: "default", private: "left alone"}
	if err := n.Decode(&got); err != nil {
		t.Fatal(err)
	}
	ignore := cmp.Options{
		cmpopts.IgnoreFields(Entry[*embedded]{}, "At"), cmpopts.IgnoreFields(Entry[[]time.Duration]{}, "At"),
		cmp.AllowUnexported(everything{}),
	}
	if diff := cmp.Diff(want, got, ignore); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
	if v, ok := got.Deep.Get("k"); !ok || len(v) != 2 || !slices.Equal(got.Map.Keys(), []string{"z", "y"}) {
		t.Errorf("the map gives %v, %v and keys %v", v, ok, got.Map.Keys())
	}
}

func TestDecodeKeepsWhatIsWrong(t *testing.T) {
	config := struct {
		N int    `yaml:"n"`
		S string `yaml:"s" enum:"x|y"`
	}{5, "x"}
	err := parseText(t, "n: many\ns: z").Decode(&config)
	if all, ok := err.(Errors); !ok || len(all) != 2 || config.N != 5 || config.S != "x" {
		t.Errorf("got %+v and %v", config, err)
	}
}

// own reads its own node and reports in each way that is allowed.
type own struct{ how string }

func (o *own) UnmarshalNode(n Node) error {
	switch o.how = n.Text(); o.how {
	case "plain":
		return errors.New("not so")
	case "fault":
		return engine.Faults{{Column: 2, Message: "not there"}}
	case "several":
		return errors.Join(n.Errorf("one"), fmt.Errorf("step: %w", n.Errorf("two")), errors.New("three"))
	}
	return nil
}

func TestUnmarshalerErrors(t *testing.T) {
	var config struct {
		Owns []own `yaml:"owns"`
	}
	err := parseText(t, "owns: [fine, plain, fault, several]").Decode(&config)
	want := `p.yaml:1:14: not so
p.yaml:1:23: not there
p.yaml:1:28: one
p.yaml:1:28: two
p.yaml:1:28: three`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	var one *Error
	if !errors.As(err, &one) || one.Line != 1 || one.Column != 14 {
		t.Errorf("errors.As gives %+v", one)
	}
}

func TestNode(t *testing.T) {
	root := parseText(t, "a:\n  - {b: 'x'}\n  - y\n")
	list, _ := root.Get("a")
	b, ok := list.Items()[0].Get("b")
	if !ok || b.Text() != "x" || !b.Quoted() || list.Items()[1].Quoted() {
		t.Errorf("b is %q, quoted %v", b.Text(), b.Quoted())
	}
	if diff := cmp.Diff([]string{"a", "0", "b"}, b.Path()); diff != "" {
		t.Errorf("path (-want +got):\n%s", diff)
	}
	if got := b.Errorf("bad %s", "thing").Error(); got != "p.yaml:2:9: bad thing" {
		t.Errorf("error is %q", got)
	}
	var zero Node
	if _, ok := zero.Get("x"); ok || zero.Kind() != Null || zero.Text() != "" || zero.Path() != nil || zero.Line() != 0 || zero.Errorf("x") == nil {
		t.Error("the zero Node is not an empty Null")
	}
}

func TestErrorShowsTabs(t *testing.T) {
	e := Error{File: "f", Line: 7, Column: 4, Message: "m", Source: "é\ta: b"}
	if want := "f:7:4: m\n    7 | é\ta: b\n      |  \t ^"; e.String() != want {
		t.Errorf("got\n%s\nwant\n%s", e.String(), want)
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"titel", "title"}, {"TITLE", "title"}, {"tilte", "title"}, {"id", ""}, {"ind", "index"}, {"index", ""}, {"category_", "category"},
		{"", ""}, {"x", ""}, {"unrelated", ""}, {strings.Repeat("title", 1000), ""},
	} {
		if got := column.Nearest(c.name, []string{"index", "title", "category"}); got != c.want {
			t.Errorf("nearest to %.20q is %q, want %q", c.name, got, c.want)
		}
	}
}

func TestUnitsRoundTrip(t *testing.T) {
	for _, d := range []time.Duration{0, time.Millisecond, 30 * time.Second, 90 * time.Minute, 7 * 24 * time.Hour, 36*time.Hour + 5*time.Millisecond} {
		if got, err := ParseDuration(FormatDuration(d)); err != nil || got != d {
			t.Errorf("%v is written %s and read %v, %v", d, FormatDuration(d), got, err)
		}
	}
	for b, want := range map[Bytes]string{0: "0B", 1: "1B", 1024: "1KiB", 1000: "1KB", 128 << 20: "128MiB", 1e9: "1GB", 1536: "1536B"} {
		if got, err := ParseBytes(b.String()); err != nil || got != b || b.String() != want {
			t.Errorf("%d is written %s and read %d, %v", int64(b), b, got, err)
		}
	}
}

// TestPlaces is a law: whatever style a text is written in, the place of each of its words is where the
// word stands in the file.
func TestPlaces(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 500 {
		words := make([]string, 1+rng.IntN(8))
		for i := range words {
			words[i] = fmt.Sprintf("w%d%s", i, []string{"", "é", "x_", "${V:-some value}"}[rng.IntN(4)])
		}
		yaml := writeWords(rng, words)
		n, err := Parse("p.yaml", []byte(yaml), nil, nil)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, yaml)
		}
		value := n.Items()[0].Pairs()[0].Value
		for i := range words {
			word := fmt.Sprintf("w%d", i)
			e := value.fault(engine.Fault{Column: strings.Index(value.Text(), word)})
			line := strings.Split(yaml, "\n")[e.Line-1]
			at := strings.Index(line, word)
			if at < 0 || utf8.RuneCountInString(line[:at]) != e.Column-1 {
				t.Fatalf("seed %d: %s is placed at %d:%d in\n%s", seed, word, e.Line, e.Column, yaml)
			}
		}
	}
}

func writeWords(rng *rand.Rand, words []string) string {
	var b strings.Builder
	before := []string{"- key: ", "- \"é\": ", "# c\n- key: ", "- {key: ", "- key:   "}[rng.IntN(5)]
	b.WriteString(before)
	flow := strings.Contains(before, "{")
	style := rng.IntN(5)
	if flow {
		style = rng.IntN(3)
	}
	b.WriteString([]string{"", "\"\\t\\x41\\u0042\\U00000043", "'it''s ", "|\n    ", ">-\n    "}[style])
	for i, w := range words {
		if i > 0 {
			b.WriteString([]string{" ", "\n    ", "\n\n    ", "  "}[rng.IntN(4)])
		}
		b.WriteString(w)
	}
	b.WriteString([]string{"", "\"", "'", "\n", "\n"}[style])
	if flow {
		b.WriteString("}")
	}
	return b.String() + "\n- other\n"
}
