package delta

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/millrace-io/millrace/engine/column"
)

// evolved is the metadata that the table needs for the rows, or nil where it has it: with the columns that
// the table lacks, if it may get them, and with what its configuration must say of the pipeline. The error says
// why the rows don't fit.
func (t *Table) evolved(s *state) (*Metadata, error) {
	if err := fit(t.config.Schema, t.config.PartitionBy, s.schema, s.metadata.PartitionBy, t.config.Evolve); err != nil {
		return nil, err
	}
	fresh := lacking(t.config.Schema, s.schema)
	if err := s.protocol.allows(fresh); err != nil {
		return nil, err
	}
	m := *s.metadata
	m.Configuration = maps.Clone(m.Configuration)
	if m.Configuration == nil {
		m.Configuration = map[string]string{}
	}
	t.mark(m.Configuration, s)
	if len(fresh) == 0 && maps.Equal(m.Configuration, s.metadata.Configuration) {
		return nil, nil
	}
	if len(fresh) > 0 {
		text, err := appendColumns(m.SchemaString, fresh)
		if err != nil {
			return nil, err
		}
		m.SchemaString = text
	}
	return &m, nil
}

// lacking is the columns that a table does not have. They may be null: the rows that are there have none.
func lacking(want column.Schema, have Schema) column.Schema {
	var fresh column.Schema
	for _, f := range want {
		if have.index(f.Name) < 0 {
			f.Required = false
			fresh = append(fresh, f)
		}
	}
	return fresh
}

// appendColumns puts columns behind those of a schema, whose own text stays as it is: it may hold what this
// package knows nothing of.
func appendColumns(schema string, fresh column.Schema) (string, error) {
	type fields struct {
		Type   string            `json:"type"`
		Fields []json.RawMessage `json:"fields"`
	}
	var have, more fields
	text, err := SchemaString(fresh)
	if err == nil {
		err = json.Unmarshal([]byte(text), &more)
	}
	if err == nil {
		err = json.Unmarshal([]byte(schema), &have)
	}
	if err != nil {
		return "", fmt.Errorf("add columns to the table: %w", err)
	}
	have.Fields = append(have.Fields, more.Fields...)
	return string(jsonOf(have)), nil
}
