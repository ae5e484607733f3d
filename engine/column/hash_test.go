package column_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-io/millrace/engine/column"
)

// TestKeysAreEqualAsRowsAre: over rows of few values, keys agree exactly where all columns do.
func TestKeysAreEqualAsRowsAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typs := rapid.SliceOfN(rapid.SampledFrom(keyable()), 1, 3).Draw(t, "types")
		n := rapid.IntRange(2, 12).Draw(t, "rows")
		rows := make([]twin, n)
		var cols []column.Column
		for _, typ := range typs {
			few := twin{nil, drawValue(t, typ, true), drawValue(t, typ, true)}
			c := column.New(typ)
			for i := range rows {
				v := few[rapid.IntRange(0, 2).Draw(t, "value")]
				put(c, v)
				rows[i] = append(rows[i], v)
			}
			cols = append(cols, c)
		}
		keys := make([]column.Key, n)
		column.NewHasher(rapid.Uint64().Draw(t, "seed")).Keys(keys, cols, nil, n)
		for i := range rows {
			for j := range i {
				if equal := cmp.Equal(rows[i], rows[j]); equal != (keys[i] == keys[j]) {
					t.Fatalf("rows %v and %v, keys %x and %x", rows[i], rows[j], keys[i], keys[j])
				}
			}
		}
	})
}

// keyable is the types that keys are made of.
func keyable() []column.Type {
	return slices.DeleteFunc(types(), func(t column.Type) bool { return !t.Keyable() })
}

// TestMapsHaveNoKey: neither do types with one somewhere inside.
func TestMapsHaveNoKey(t *testing.T) {
	dict := column.MapOf(column.Of(column.String), column.Of(column.Long))
	for _, typ := range []column.Type{dict, column.ArrayOf(dict), column.StructOf(column.Field{Name: "m", Type: column.ArrayOf(dict)})} {
		if typ.Keyable() {
			t.Errorf("%v is keyable", typ)
		}
	}
}

// TestKeysOfSelection: only the selected rows are written, and their keys are the same as without one.
func TestKeysOfSelection(t *testing.T) {
	for _, typ := range []column.Type{column.Of(column.String), column.Of(column.Long)} {
		rapid.Check(t, func(t *rapid.T) {
			c, w := drawColumn(t, typ)
			h := column.NewHasher(7)
			all := make([]column.Key, len(w))
			h.Keys(all, []column.Column{c}, nil, len(w))
			sel := drawSelection(t, len(w))
			got := make([]column.Key, len(w))
			h.Keys(got, []column.Column{c}, sel, len(w))
			want := make([]column.Key, len(w))
			for i := range sel.All(len(w)) {
				want[i] = all[i]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

// TestKeysOfNearlyEqual: values that look alike, or whose bytes joined do, have keys of their own; values
// that count as equal share one.
func TestKeysOfNearlyEqual(t *testing.T) {
	text, long, double, list := column.Of(column.String), column.Of(column.Long), column.Of(column.Double), column.ArrayOf(column.String)
	pair := column.StructOf(column.Field{Name: "a", Type: text}, column.Field{Name: "b", Type: text})
	nan := math.Float64frombits(0x7ff8000000000123)
	for _, c := range []struct {
		name  string
		types []column.Type
		a, b  twin
		equal bool
	}{
		{"text", []column.Type{text}, twin{"a"}, twin{"a"}, true},
		{"empty and null text", []column.Type{text}, twin{""}, twin{nil}, false},
		{"the text null", []column.Type{text}, twin{"null"}, twin{nil}, false},
		{"null and null", []column.Type{text}, twin{nil}, twin{nil}, true},
		{"texts split elsewhere", []column.Type{text, text}, twin{"ab", "c"}, twin{"a", "bc"}, false},
		{"texts that hold the mark of a value", []column.Type{text, text}, twin{"a\x01", "b"}, twin{"a", "\x01b"}, false},
		{"null on the other side", []column.Type{text, text}, twin{"a", nil}, twin{nil, "a"}, false},
		{"zero and null", []column.Type{long}, twin{int64(0)}, twin{nil}, false},
		{"zeros", []column.Type{double}, twin{0.0}, twin{math.Copysign(0, -1)}, true},
		{"NaNs", []column.Type{double}, twin{math.NaN()}, twin{nan}, true},
		{"NaN and null", []column.Type{double}, twin{math.NaN()}, twin{nil}, false},
		{"infinities", []column.Type{double}, twin{math.Inf(1)}, twin{math.Inf(-1)}, false},
		{"zero floats", []column.Type{column.Of(column.Float)}, twin{float32(0)}, twin{float32(math.Copysign(0, -1))}, true},
		{"zeros in lists", []column.Type{column.ArrayOf(column.Double)}, twin{twin{0.0}}, twin{twin{math.Copysign(0, -1)}}, true},
		{"lists split elsewhere", []column.Type{list, list}, twin{twin{"a"}, twin{}}, twin{twin{}, twin{"a"}}, false},
		{"nulls in and beside lists", []column.Type{list, list, list}, twin{twin{nil, nil}, twin{}, nil}, twin{twin{nil}, nil, twin{nil}}, false},
		{"list with null", []column.Type{list}, twin{twin{nil}}, twin{twin{}}, false},
		{"structs", []column.Type{pair}, twin{twin{"a", nil}}, twin{twin{"a", nil}}, true},
		{"fields the other way round", []column.Type{pair}, twin{twin{"a", nil}}, twin{twin{nil, "a"}}, false},
		{"struct of nulls and null", []column.Type{pair}, twin{twin{nil, nil}}, twin{nil}, false},
		{"decimals", []column.Type{column.DecimalOf(38, 0)}, twin{column.Int128{Hi: 1}}, twin{column.Int128{Lo: 1}}, false},
		{"empty list and null", []column.Type{list}, twin{twin{}}, twin{nil}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cols []column.Column
			for i, typ := range c.types {
				col := column.New(typ)
				put(col, c.a[i])
				put(col, c.b[i])
				cols = append(cols, col)
			}
			keys := make([]column.Key, 2)
			column.NewHasher(1).Keys(keys, cols, nil, 2)
			if equal := keys[0] == keys[1]; equal != c.equal {
				t.Errorf("keys equal: %v, want %v", equal, c.equal)
			}
		})
	}
}

// TestSeedsDiffer: keys agree only between hashers of one seed.
func TestSeedsDiffer(t *testing.T) {
	c := column.New(column.Of(column.String))
	put(c, "a")
	put(c, nil)
	one, two, again := make([]column.Key, 2), make([]column.Key, 2), make([]column.Key, 2)
	column.NewHasher(1).Keys(one, []column.Column{c}, nil, 2)
	column.NewHasher(2).Keys(two, []column.Column{c}, nil, 2)
	column.NewHasher(1).Keys(again, []column.Column{c}, nil, 2)
	if one[0] == two[0] || one[1] == two[1] || one[0] != again[0] || one[1] != again[1] {
		t.Errorf("%x, %x, %x", one, two, again)
	}
}

// TestSlotsAreFilled evenly enough, and none is out of range.
func TestSlotsAreFilled(t *testing.T) {
	c := column.New(column.Of(column.Long))
	const rows = column.Slots * 100
	for i := range rows {
		put(c, int64(i))
	}
	keys := make([]column.Key, rows)
	column.NewHasher(1).Keys(keys, []column.Column{c}, nil, rows)
	var count [column.Slots]int
	for _, k := range keys {
		count[k.Slot()]++
	}
	for slot, n := range count {
		if n < 50 || n > 150 {
			t.Errorf("slot %d has %d keys of %d", slot, n, rows)
		}
	}
}

func TestKeysAllocateNothing(t *testing.T) {
	text, long := column.New(column.Of(column.String)), column.New(column.Of(column.Long))
	for i := range 100 {
		put(text, "a text of some length")
		put(long, int64(i))
	}
	h := column.NewHasher(1)
	keys := make([]column.Key, 100)
	for _, cols := range [][]column.Column{{text}, {text, long}} {
		h.Keys(keys, cols, nil, 100)
		if n := testing.AllocsPerRun(10, func() { h.Keys(keys, cols, nil, 100) }); n > 0 {
			t.Errorf("%v allocations for %d columns", n, len(cols))
		}
	}
}
