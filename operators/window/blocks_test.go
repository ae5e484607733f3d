package window

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
)

// TestBlocksBesideFatPanes: a pane of few keys in the memory of one with many is too fat for a block. Those behind it are in
// none then: a block of them alone would be taken for the whole one, and a block of all would count the fat one twice.
func TestBlocksBesideFatPanes(t *testing.T) {
	op, _, err := optest.Decode(New(), "hop: {size: 130s, every: 1s}\nby: id\naggregates: {n: count()}\n").Bind(optest.Schema(factSchema))
	if err != nil {
		t.Fatal(err)
	}
	o := op.(*operator)
	o.unmerges = false
	var got record
	apply := func(sec int, ids ...string) {
		t.Helper()
		var texts []string
		for _, id := range ids {
			texts = append(texts, fact{id: id}.json())
		}
		b := optest.Batch(optest.Schema(factSchema), texts...)
		for i := range b.At {
			b.At[i] = engine.Time(sec) * second
		}
		b.Upto = engine.Time(sec) * second
		if err := o.Apply(t.Context(), b, &got); err != nil {
			t.Fatal(err)
		}
	}
	var many []string
	for i := range 600 {
		many = append(many, fmt.Sprint(i))
	}
	// Each second of these has a row of a. The first begins a block of either level; 8 s later one of the lower level begins, with
	// the pane that gets the memory of the one that goes then.
	const from, to = 128, 420
	apply(from+7-130, many...)
	fat := false
	for sec := from; sec < to; sec++ {
		apply(sec, "a")
		if sec == from+8 {
			last := o.store.(*panes).list
			fat = last[len(last)-1].size > leanBytes*64
		}
	}
	if !fat {
		t.Fatal("no pane is fat: the test shows nothing")
	}
	var want []string
	for end := from + 1; end < to; end++ {
		at := func(sec int) string { return (engine.Time(sec) * second).Std().Format(stamp) }
		want = append(want, fmt.Sprintf(`{"id":"a","window_start":%q,"window_end":%q,"n":%d}`, at(end-130), at(end), min(130, end-from)))
	}
	var rows []string
	for _, row := range got.rows {
		if strings.HasPrefix(row, `{"id":"a"`) {
			rows = append(rows, row)
		}
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
