package tabletest

import (
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// TestFake runs the suite on the table that the law is run with.
func TestFake(t *testing.T) {
	Run(t, func(t *testing.T) Harness { return fake(t, func(table engine.Table) engine.Table { return table }) })
}

// fake is the place of an enginetest.Table; each goes through wrap.
func fake(t *testing.T, wrap func(engine.Table) engine.Table) Harness {
	store := mem.New()
	return Harness{
		Files: store, Folder: "t", Fake: true,
		Table: func(files blob.Store, _ Config) engine.Table { return wrap(enginetest.NewTable(files, "t")) },
		Rows: func(engine.Schema) []string {
			rows, err := enginetest.NewTable(store, "t").Rows(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return rows
		},
	}
}
