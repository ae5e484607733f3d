package operators_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/operators"
	"github.com/millrace-io/millrace/operators/clean"
	"github.com/millrace-io/millrace/operators/derive"
	"github.com/millrace-io/millrace/operators/filter"
	"github.com/millrace-io/millrace/operators/pick"
)

// lawRuns is how often each case runs. With those of dedupe and of the engine they make up the suite's.
const lawRuns = 150

// A lawStep is an operator in the law: a step, and what it does to a row said in plain Go.
type lawStep struct {
	config engine.Config
	// model gives the row that leaves as JSON, or why it does not.
	model func(f enginetest.Fact) (row string, drop bool, reject reject)
}

type reject struct {
	reason         engine.Reason
	column, detail string
}

// lawSteps has an entry for each operator that keeps nothing; dedupe's is beside dedupe.
func lawSteps() map[string]lawStep {
	plain := func(f enginetest.Fact) string { return fmt.Sprintf(`"at":%q,"v":%d}`, stamp(f.At), f.V) }
	divide := derive.Config{Columns: []derive.Column{{Name: "id", Expr: "id || '!'"}, {Name: "d", Expr: "1000 / (v % 5)"}}}
	return map[string]lawStep{
		"clean": {
			clean.Config{Columns: []clean.Column{{Name: "id", Rules: []clean.Rule{clean.NullIf{"k1"}, clean.StripPrefix("k"), clean.Replace{{From: "2", To: "x"}}, clean.Parse{As: clean.Int}}}}},
			func(f enginetest.Fact) (string, bool, reject) {
				id := strings.ReplaceAll(strings.TrimPrefix(f.ID, "k"), "2", "x")
				if _, err := strconv.Atoi(id); err != nil {
					return "", false, reject{engine.ReasonParse, "id", fmt.Sprintf("expected a whole number of 32 bits, found %q", id)}
				}
				if f.ID == "k1" {
					id = "null"
				}
				return `{"id":` + id + "," + plain(f), false, reject{}
			},
		},
		"derive": {
			divide,
			func(f enginetest.Fact) (string, bool, reject) {
				if f.V%5 == 0 {
					return "", false, reject{engine.ReasonEval, "d", detailOf(divide)}
				}
				d := strconv.FormatFloat(1000/float64(f.V%5), 'g', -1, 64)
				return fmt.Sprintf(`{"id":%q,"at":%q,"v":%d,"d":%s}`, f.ID+"!", stamp(f.At), f.V, d), false, reject{}
			},
		},
		"filter": {
			filter.Config{Where: "v % 2 = 0 AND id <> 'k3'"},
			func(f enginetest.Fact) (string, bool, reject) {
				return fmt.Sprintf(`{"id":%q,`, f.ID) + plain(f), f.V%2 != 0 || f.ID == "k3", reject{}
			},
		},
		"select": {
			pick.Config{Columns: []pick.Column{{Name: "w", From: "v"}, {Name: "id"}}},
			func(f enginetest.Fact) (string, bool, reject) {
				return fmt.Sprintf(`{"w":%d,"id":%q}`, f.V, f.ID), false, reject{}
			},
		},
		"func": {
			operators.Func(double),
			func(f enginetest.Fact) (string, bool, reject) {
				if f.V == 7 {
					return "", false, reject{engine.ReasonCustom, "", "seven"}
				}
				return fmt.Sprintf(`{"id":%q,"at":%q,"v":%d}`, f.ID, stamp(f.At), 2*f.V), false, reject{}
			},
		},
	}
}

// detailOf is what config says of a row with a v of 0.
func detailOf(config engine.Config) string {
	line := optest.Run(config, optest.Batch(enginetest.InputSchema, `{"id": "k", "v": 0}`))[0]
	_, detail, _ := strings.Cut(line, ": ")
	return detail[:strings.LastIndex(detail, " {")]
}

type value struct {
	V int64 `col:"v"`
}

func double(v value) (value, error) {
	if v.V == 7 {
		return v, errors.New("seven")
	}
	return value{2 * v.V}, nil
}

func stamp(at engine.Time) string { return at.Std().Format("2006-01-02T15:04:05.000000Z") }

func TestLaw(t *testing.T) {
	for name, s := range lawSteps() {
		t.Run(name, func(t *testing.T) { enginetest.Law(t, s.lawCase(name), lawRuns) })
	}
}

func (s lawStep) lawCase(name string) enginetest.Case {
	return enginetest.Case{
		Name:    name,
		Time:    engine.EventTime{Column: "at", MaxDelay: time.Second},
		Streams: []engine.StreamPlan{{Name: "s", From: []string{enginetest.SourceName}, Steps: []engine.Step{{Name: name, Config: s.config}}}},
		Tables:  []engine.TablePlan{{Name: "t", From: "s"}},
		Spread:  true,
		Model:   s.outcome,
	}
}

func (s lawStep) outcome(in enginetest.Input) enginetest.Outcome {
	out, rows := enginetest.Entered(in, true)
	var count engine.Count
	for _, f := range rows {
		row, drop, reject := s.model(f)
		count.In++
		switch {
		case reject.reason != "":
			count.Quarantined++
			out.Tables[enginetest.QuarantineName] = append(out.Tables[enginetest.QuarantineName], reject.row(f))
		case drop:
			count.Filtered++
		default:
			count.Out++
			out.Tables["t"] = append(out.Tables["t"], row)
		}
	}
	if count != (engine.Count{}) {
		out.Ledger["s"] = count
	}
	return out
}

// row is the reject's row of the quarantine table.
func (r reject) row(f enginetest.Fact) string {
	blame := "null"
	if r.column != "" {
		blame = strconv.Quote(r.column)
	}
	lost := fmt.Sprintf(`{"id":%q,"at":%q,"v":%d}`, f.ID, stamp(f.At), f.V)
	return fmt.Sprintf(`{"source":%q,"stream":"s","partition":"%d","position":"%d","record_time":%q,"reason":%q,"column":%s,"detail":%q,"bytes":%q}`,
		enginetest.SourceName, f.Partition, f.Offset, stamp(f.RecordAt()), r.reason, blame, r.detail, base64.StdEncoding.EncodeToString([]byte(lost)))
}
