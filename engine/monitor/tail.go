package monitor

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/expr"
)

// A Line is one line of /tail; but for Dropped and Waiting one field is set. The first line has Schema.
type Line struct {
	Schema  []Column        `json:"schema,omitempty"`
	Row     json.RawMessage `json:"row,omitempty"`     // an object, columns in the schema's order
	Dropped int64           `json:"dropped,omitempty"` // rows passed since the last line that were not shown
	Waiting *engine.Hold    `json:"waiting,omitempty"` // a partition without records holds back an operator of the pipeline
}

// A Column is a column of a Line's rows.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// feedBound is how many rows wait for a slow client before rows are dropped.
const feedBound = 1024

// A feed is an engine.Watch that passes rows to one client as long as it keeps up. What it has no room for
// it counts and drops: the pipeline does not wait.
type feed struct {
	rows    chan []byte
	dropped atomic.Int64

	mu    sync.Mutex // the filter keeps scratch; Offer comes from several goroutines
	where *expr.Program
	arena *column.Pool
}

// Offer implements engine.Watch.
func (f *feed) Offer(b *engine.Batch) {
	sel, count := b.Sel, b.Count()
	if len(f.rows) == cap(f.rows) {
		f.dropped.Add(int64(count))
		return
	}
	if f.where != nil {
		arena := f.arena.Get()
		defer arena.Release()
		f.mu.Lock()
		sel, _ = f.where.Filter(b.Columns, b.Sel, b.Rows, arena)
		f.mu.Unlock()
	}
	for row := range sel.All(b.Rows) {
		select {
		case f.rows <- column.AppendRowJSON(nil, b.Schema, b.Columns, row):
		default:
			f.dropped.Add(1)
		}
	}
}

// tail serves /tail?name=…&where=…&limit=…&pipeline=….
func tail(w http.ResponseWriter, r *http.Request, pipelines []Pipeline) {
	q := r.URL.Query()
	task, schema, err := find(pipelines, q.Get("pipeline"), q.Get("name"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	f := &feed{rows: make(chan []byte, feedBound), arena: &column.Pool{}}
	if where := q.Get("where"); where != "" {
		if f.where, err = condition(where, schema); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	limit := int64(-1)
	if n := q.Get("limit"); n != "" {
		if limit, err = strconv.ParseInt(n, 10, 64); err != nil || limit < 0 {
			http.Error(w, "limit: not a number of rows: "+n, http.StatusBadRequest)
			return
		}
	}
	done, err := task.Watch(q.Get("name"), f)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	defer done()
	w.Header().Set("Content-Type", "application/x-ndjson")
	f.stream(w, r, schema, limit, task)
}

func condition(where string, schema engine.Schema) (*expr.Program, error) {
	p, err := expr.Compile(where, schema)
	if err != nil {
		return nil, fmt.Errorf("where: %w", err)
	}
	if p.Type().Kind != column.Bool {
		return nil, fmt.Errorf("where: a condition is a bool, this is a %s", p.Type())
	}
	return p, nil
}

// find gives the task with a source, stream or table called name.
func find(pipelines []Pipeline, pipeline, name string) (*engine.Task, engine.Schema, error) {
	var names []string
	for _, p := range pipelines {
		if pipeline != "" && pipeline != p.Name {
			continue
		}
		if schema, ok := p.Task.Schema(name); ok {
			return p.Task, schema, nil
		}
		names = append(names, p.Task.Names()...)
	}
	return nil, nil, fmt.Errorf("no source, stream or table %q is running here; there are %s", name, strings.Join(names, ", "))
}

// dropReport is how often a client is told of dropped rows when nothing else is sent.
const dropReport = time.Second

// holdReport is how often a client is told of the partition that results wait for.
const holdReport = time.Minute

// stream writes lines until the client leaves or limit rows are sent.
func (f *feed) stream(w http.ResponseWriter, r *http.Request, schema engine.Schema, limit int64, task *engine.Task) {
	out := http.NewResponseController(w)
	enc := json.NewEncoder(w)
	head := Line{}
	for _, c := range schema {
		head.Schema = append(head.Schema, Column{c.Name, c.Type.String()})
	}
	if enc.Encode(head) != nil || out.Flush() != nil {
		return
	}
	report := time.NewTicker(dropReport)
	defer report.Stop()
	var told time.Time
	for sent := int64(0); limit < 0 || sent < limit; {
		line := Line{}
		select {
		case line.Row = <-f.rows:
			sent++
		case <-report.C:
			line.Dropped = f.dropped.Swap(0)
			if time.Since(told) >= holdReport {
				if line.Waiting = task.Held(); line.Waiting != nil {
					told = time.Now()
				}
			}
			if line.Dropped == 0 && line.Waiting == nil {
				continue
			}
		case <-r.Context().Done():
			return
		}
		if enc.Encode(line) != nil {
			return
		}
		if len(f.rows) == 0 && out.Flush() != nil {
			return
		}
	}
}
