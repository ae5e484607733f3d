// Package monitor shows running tasks from outside, over HTTP:
//
//	/metrics   for Prometheus
//	/healthz   200 while the process runs
//	/readyz    200 once every task has its checkpoint and reads
//	/status    where each task stands, as JSON: a list of engine.Status, and maintenance.Status of its tables
//	/tail      rows as they pass, one JSON object a line; see Feed
package monitor

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/maintenance"
)

// A Pipeline is a running task and its name.
type Pipeline struct {
	Name string
	Task *engine.Task
	// Requests counts what was asked of the store so far, by kind; nil: it is not counted.
	Requests func() map[string]int64
	// Maintenance tells what became of the jobs on its tables; nil: nobody looks after them.
	Maintenance func() []maintenance.Status
}

// maintained is what became of the jobs on the pipeline's tables.
func (p *Pipeline) maintained() []maintenance.Status {
	if p.Maintenance == nil {
		return nil
	}
	return p.Maintenance()
}

// A state is what /status says of a pipeline.
type state struct {
	engine.Status
	Maintenance []maintenance.Status `json:"maintenance,omitempty"`
}

// Handler serves the pages of the package for the pipelines.
func Handler(pipelines []Pipeline) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{pipelines})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { ready(w, pipelines) })
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { status(w, pipelines) })
	mux.HandleFunc("GET /tail", func(w http.ResponseWriter, r *http.Request) { tail(w, r, pipelines) })
	return mux
}

func ready(w http.ResponseWriter, pipelines []Pipeline) {
	for _, p := range pipelines {
		if p.Task.Status().Epoch == engine.NoEpoch {
			http.Error(w, "pipeline "+p.Name+" has not started yet", http.StatusServiceUnavailable)
			return
		}
	}
	fmt.Fprintln(w, "ready")
}

func status(w http.ResponseWriter, pipelines []Pipeline) {
	all := make([]state, 0, len(pipelines))
	for _, p := range pipelines {
		all = append(all, state{p.Task.Status(), p.maintained()})
	}
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.Encode(all) //nolint:errcheck // the client went away
}

// portTries is how many ports after the one asked for are tried when it is taken.
const portTries = 20

// Listen listens on addr; if its port is taken on one of the next ones.
func Listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		return l, nil
	}
	host, port, splitErr := net.SplitHostPort(addr)
	n, convErr := strconv.Atoi(port)
	if splitErr != nil || convErr != nil || n == 0 {
		return nil, err
	}
	for i := 1; i <= portTries; i++ {
		if l, nextErr := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(n+i))); nextErr == nil {
			return l, nil
		}
	}
	return nil, err
}

// Serve serves h on l until l is closed.
func Serve(l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	if err := s.Serve(l); !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	}
	return nil
}
