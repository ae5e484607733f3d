package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/millrace-io/millrace/engine"
)

const (
	progressEvery = 200 * time.Millisecond
	rateWindow    = 10 // of progressEvery, over which the live line's rate is taken
)

// showProgress keeps one live line on a terminal until stop is called. Elsewhere the engine's log line a
// commit is the progress.
func showProgress(w io.Writer, f *fleet) (stop func()) {
	if !isTerminal(w) {
		return func() {}
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		t := time.NewTicker(progressEvery)
		defer t.Stop()
		line := liveLine{w: w}
		for {
			select {
			case <-t.C:
				line.show(f.progress(&line.rate))
			case <-done:
				line.show("")
				return
			}
		}
	}()
	return func() {
		close(done)
		<-gone
	}
}

// progress is how far all pipelines are, on one line: records taken in, rate, lag, rows in each table.
func (f *fleet) progress(r *rate) string {
	var records, lag int64
	var behind float64 // seconds
	tables := map[string]int64{}
	for _, p := range f.pipelines {
		s := p.task.Status()
		records += s.Records
		for _, x := range s.Partitions {
			if n, known := x.Lag(); known {
				lag += n
			} else {
				behind = max(behind, x.Behind)
			}
		}
		maps.Copy(tables, totalRows(s, p.def.Plan))
	}
	text := fmt.Sprintf("%s records  %s/s  lag %s ", count(records), count(r.add(records)), count(lag))
	if behind > 0 {
		text += fmt.Sprintf(" behind %s ", time.Duration(behind*float64(time.Second)).Round(100*time.Millisecond))
	}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		text += fmt.Sprintf("  %s %s", name, count(tables[name]))
	}
	return text
}

// totalRows is the rows that the commits of this pipeline have put into each table since its first start.
func totalRows(s engine.Status, plan engine.Plan) map[string]int64 {
	all := map[string]int64{}
	for _, t := range plan.Tables {
		all[t.Name] = s.Ledger[t.From].Out
	}
	return all
}

// A rate is records a second over the last moments.
type rate struct{ seen []int64 }

// add takes the count at the next moment.
func (r *rate) add(records int64) int64 {
	r.seen = append(r.seen, records)
	if len(r.seen) > rateWindow {
		r.seen = r.seen[1:]
	}
	span := time.Duration(len(r.seen)-1) * progressEvery
	if span == 0 {
		return 0
	}
	return int64(float64(records-r.seen[0]) / span.Seconds())
}

// A liveLine is a line that is written over itself.
type liveLine struct {
	w     io.Writer
	width int // characters on the screen now
	rate  rate
}

func (l *liveLine) show(text string) {
	if limit := columnsOf(l.w) - 1; limit > 0 {
		text = cut(text, limit)
	}
	n := utf8.RuneCountInString(text)
	fmt.Fprintf(l.w, "\r%s%s\r%s", text, strings.Repeat(" ", max(0, l.width-n)), text)
	l.width = n
}
