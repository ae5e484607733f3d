package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/maintenance"
	"github.com/millrace-io/millrace/engine/spec"
)

// TestFieldsAreDocumented: docs/output.md names every field of what the program prints as JSON.
func TestFieldsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/output.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{
		report{}, rowCounts{}, tableReport{}, benchResult{}, benchRun{}, freshnessResult{}, optimizeResult{}, optimizeRun{}, recoveryResult{}, recoveryRun{}, windowsResult{}, benchWay{}, kinesisResult{}, kinesisRun{}, tableDescription{}, tableColumn{}, historyLine{}, fileLine{},
		maintenance.Optimized{}, maintenance.Vacuumed{}, maintenance.Checkpointed{}, maintenance.Verified{}, spec.MaintenanceDescription{},
		engine.Status{}, engine.PartitionStatus{}, engine.Hold{}, maintenance.Status{}, maintenance.JobStatus{}, spec.Error{},
		spec.Description{}, spec.CommitDescription{}, spec.SourceDescription{}, spec.StreamDescription{}, spec.StepDescription{}, spec.TableDescription{}, spec.ColumnDescription{},
	} {
		for f := range reflect.TypeOf(v).Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != "" && name != "-" && !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("%T has the field %q, and docs/output.md does not name it", v, name)
			}
		}
	}
}
