package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/spec"
)

// lookBound is how long check waits for a lake before it goes on without having seen its tables.
const lookBound = 10 * time.Second

// A tableFindings is what the tables of a definition that are there say to it.
type tableFindings struct {
	errs  spec.Errors // tables that can't take the rows
	notes []string    // tables that get columns or are others' too, and what could not be looked at
}

// lookAtTables compares the tables of a definition with those in its lake. It makes and changes nothing.
func lookAtTables(ctx context.Context, def *spec.Definition) (tableFindings, error) {
	ctx, cancel := context.WithTimeout(ctx, lookBound)
	defer cancel()
	var r tableFindings
	lake, err := openLake(def.Lake)
	if err != nil {
		return r, err
	}
	for _, p := range def.Plan.Tables {
		t := def.Tables[p.Name]
		table, err := newDeltaTable(lake, def, p.Name, t, "", nil)
		if err != nil {
			return r, err
		}
		found, err := table.Check(ctx)
		if len(found.Others) > 0 {
			r.notes = append(r.notes, fmt.Sprintf("table %s holds rows of pipeline %s too, and neither knows which the other had: what comes to both is there twice, dedupe or not",
				p.Name, strings.Join(found.Others, ", ")))
		}
		switch adds := found.Adds; {
		case errors.Is(err, delta.ErrNotTable):
		case errors.Is(err, delta.ErrUnfit), errors.Is(err, delta.ErrUnsupported):
			r.errs = append(r.errs, t.Error(err.Error()))
		case err != nil: // the lake is out of reach, or the log is broken: no fault of the definition
			r.notes = append(r.notes, fmt.Sprintf("could not look whether the rows fit: %v", err))
			if ctx.Err() != nil {
				return r, nil
			}
		case len(adds) > 0:
			r.notes = append(r.notes, fmt.Sprintf("table %s gets %s with the next commit: %s", p.Name, columnsText(len(adds)), strings.Join(adds, ", ")))
		}
	}
	return r, nil
}

func columnsText(n int) string {
	if n == 1 {
		return "a new column"
	}
	return fmt.Sprintf("%d new columns", n)
}
