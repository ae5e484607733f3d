package monitor

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/maintenance"
)

// collector asks the tasks how they stand whenever Prometheus asks, so that metrics cost nothing between.
type collector struct{ pipelines []Pipeline }

// A metric is one family, and how to read it off a status.
type metric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(s *state, put func(value float64, labels ...string))
}

func family(name, help string, kind prometheus.ValueType, labels []string, read func(*state, func(float64, ...string))) metric {
	return metric{prometheus.NewDesc("millrace_"+name, help, append([]string{"pipeline", "task"}, labels...), nil), kind, read}
}

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range metrics() {
		ch <- m.desc
	}
	ch <- requestsTotal()
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	families := metrics()
	for _, p := range c.pipelines {
		s := state{p.Task.Status(), p.maintained()}
		if p.Requests != nil {
			for op, n := range p.Requests() {
				ch <- prometheus.MustNewConstMetric(requestsTotal(), prometheus.CounterValue, float64(n), s.Pipeline, s.Task, op)
			}
		}
		for _, m := range families {
			m.read(&s, func(value float64, labels ...string) {
				ch <- prometheus.MustNewConstMetric(m.desc, m.kind, value, append([]string{s.Pipeline, s.Task}, labels...)...)
			})
		}
	}
}

func requestsTotal() *prometheus.Desc {
	return prometheus.NewDesc("millrace_store_requests_total", "Requests to the bucket of the lake, each attempt counted.", []string{"pipeline", "task", "op"}, nil)
}

func metrics() []metric {
	counter, gauge := prometheus.CounterValue, prometheus.GaugeValue
	return []metric{
		family("records_total", "Records taken in by this process, committed or not.", counter, nil,
			func(s *state, put func(float64, ...string)) { put(float64(s.Records)) }),
		family("bytes_total", "Bytes of frames taken in by this process.", counter, nil,
			func(s *state, put func(float64, ...string)) { put(float64(s.Bytes)) }),
		family("unknown_fields_total", "Fields of records that no schema names.", counter, nil,
			func(s *state, put func(float64, ...string)) { put(float64(s.Unknown)) }),
		family("partition_offset", "Next offset to take in.", gauge, []string{"source", "partition"}, partitions(func(p engine.PartitionStatus) float64 { return float64(p.Next) })),
		family("partition_lag_records", "Records known to be there and not taken in.", gauge, []string{"source", "partition"},
			func(s *state, put func(float64, ...string)) {
				for _, p := range s.Partitions {
					if lag, known := p.Lag(); known {
						put(float64(lag), p.Source, p.Partition)
					}
				}
			}),
		family("partition_behind_seconds", "How much younger the newest record is than the last one read, of sources that do not count.", gauge, []string{"source", "partition"},
			func(s *state, put func(float64, ...string)) {
				for _, p := range s.Partitions {
					if _, known := p.Lag(); !known && !p.Ended {
						put(p.Behind, p.Source, p.Partition)
					}
				}
			}),
		family("waiting_silent_seconds", "Time since the last record of the partition that an operator waiting for event time waits for.", gauge, []string{"operator", "source", "partition"},
			func(s *state, put func(float64, ...string)) {
				for _, h := range s.Waiting {
					put(h.Silent, h.Operator, h.Source, h.Partition)
				}
			}),
		family("watermark_delay_seconds", "How far the partition's event time is behind the clock.", gauge, []string{"source", "partition"}, watermarkDelay),
		family("rows_total", "Committed rows of each source and stream by what became of them, since the first start.", counter, []string{"name", "outcome"}, ledger),
		family("quarantined_total", "Rows sent to quarantine by this process.", counter, []string{"reason"},
			func(s *state, put func(float64, ...string)) {
				for reason, n := range s.Quarantined {
					put(float64(n), string(reason))
				}
			}),
		family("epoch", "Newest committed epoch.", gauge, nil,
			func(s *state, put func(float64, ...string)) { put(float64(s.Epoch)) }),
		family("commit_age_seconds", "Time since the last commit.", gauge, nil,
			func(s *state, put func(float64, ...string)) { put(s.CommitAge) }),
		family("stage_seconds_total", "Time spent by stage, over all goroutines.", counter, []string{"stage"},
			func(s *state, put func(float64, ...string)) {
				for stage, seconds := range s.StageSeconds {
					put(seconds, stage)
				}
			}),
		family("table_version", "Version of each table after our last commit.", gauge, []string{"table"}, numbers(func(s *state) map[string]int64 { return s.Tables })),
		family("table_rows_total", "Rows committed to each table by this process.", counter, []string{"table"}, numbers(func(s *state) map[string]int64 { return s.Rows })),
		family("maintenance_success_timestamp_seconds", "When a job on a table last succeeded in this process, since 1970.", gauge, []string{"table", "job"},
			jobs(func(j *maintenance.JobStatus, put func(float64)) {
				if !j.At.IsZero() {
					put(float64(j.At.UnixMilli()) / 1e3)
				}
			})),
		family("maintenance_failures_total", "Jobs on a table that failed in this process.", counter, []string{"table", "job"},
			jobs(func(j *maintenance.JobStatus, put func(float64)) { put(float64(j.Failures)) })),
		family("memory_bytes", "Memory of batches in flight, as the budget counts it.", gauge, nil,
			func(s *state, put func(float64, ...string)) { put(float64(s.Memory)) }),
		family("state_bytes", "Memory of what operators hold, as the budget counts it.", gauge, nil,
			func(s *state, put func(float64, ...string)) { put(float64(s.StateMemory)) }),
	}
}

func partitions(value func(engine.PartitionStatus) float64) func(*state, func(float64, ...string)) {
	return func(s *state, put func(float64, ...string)) {
		for _, p := range s.Partitions {
			put(value(p), p.Source, p.Partition)
		}
	}
}

func watermarkDelay(s *state, put func(float64, ...string)) {
	for _, p := range s.Partitions {
		if p.Watermark != engine.MinTime {
			put(time.Since(p.Watermark.Std()).Seconds(), p.Source, p.Partition)
		}
	}
}

// jobs reads a number off each kind of job on each table.
func jobs(read func(j *maintenance.JobStatus, put func(float64))) func(*state, func(float64, ...string)) {
	return func(s *state, put func(float64, ...string)) {
		for i := range s.Maintenance {
			t := &s.Maintenance[i]
			read(&t.Checkpoint, func(v float64) { put(v, t.Table, "checkpoint") })
			read(&t.Optimize, func(v float64) { put(v, t.Table, "optimize") })
			read(&t.Vacuum, func(v float64) { put(v, t.Table, "vacuum") })
		}
	}
}

func numbers(of func(*state) map[string]int64) func(*state, func(float64, ...string)) {
	return func(s *state, put func(float64, ...string)) {
		for name, n := range of(s) {
			put(float64(n), name)
		}
	}
}

func ledger(s *state, put func(float64, ...string)) {
	for name, c := range s.Ledger {
		put(float64(c.In), name, "in")
		put(float64(c.Out), name, "out")
		put(float64(c.Filtered), name, "filtered")
		put(float64(c.Duplicate), name, "duplicate")
		put(float64(c.Late), name, "late")
		put(float64(c.Quarantined), name, "quarantined")
		put(float64(c.Aggregated), name, "aggregated")
		put(float64(c.Made), name, "made")
		put(float64(c.Lost), name, "lost")
	}
}
