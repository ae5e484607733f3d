package main

import (
	"fmt"
	"strings"

	"github.com/millrace-io/millrace/engine/spec"
)

// A writing is a table of a definition as a place in the world.
type writing struct {
	def   *spec.Definition
	table spec.Table
}

// shareTables looks at the tables that several of the definitions write, and gives those that they can't. What may be
// meant is a warning of the later one: what keeps one pipeline's rows apart does not know of the other's.
func shareTables(defs []*spec.Definition) error {
	var errs spec.Errors
	lakes := map[string][]writing{}
	for _, d := range defs {
		lake, err := parsePlace(d.Lake)
		if err != nil {
			continue // which checkLakes says
		}
		earlier := lakes[lake.id()]
		for _, p := range d.Plan.Tables {
			w := writing{d, d.Tables[p.Name]}
			for _, other := range earlier {
				if err := w.beside(other); err != nil {
					errs = append(errs, err)
				}
			}
			lakes[lake.id()] = append(lakes[lake.id()], w)
		}
	}
	if errs == nil {
		return nil
	}
	return errs
}

// beside compares a table with one of an earlier definition in the same lake.
func (w writing) beside(other writing) *spec.Error {
	a, b := w.table.Path, other.table.Path
	at := fmt.Sprintf("pipeline %s (%s)", other.def.Plan.Pipeline, other.def.File)
	switch {
	case a == b && (w.table.Replace || other.table.Replace):
		return w.table.Error(fmt.Sprintf("%s writes the table at %s too, and with mode: replace the commits of one take out the rows of the other: give it another path", at, a))
	case a == b:
		w.def.Warnings = append(w.def.Warnings, w.table.Error(fmt.Sprintf("%s writes the table at %s too: the two do not know which rows the other had, "+
			"so what comes to both is there twice, dedupe or not: run one of them in a lake unless their inputs have nothing in common", at, a)))
	case strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/"):
		return w.table.Error(fmt.Sprintf("path %s: a table of %s lies at %s; a table needs a folder of its own", a, at, b))
	}
	return nil
}
