package delta

import (
	"fmt"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// What tables are made with, and the most that is read and written: Spark's own default.
const (
	readerVersion = 1
	writerVersion = 2
)

// writerFeatures is what writer version 2 is made of, by the names that tables of writer version 7 use.
var writerFeatures = [...]string{"appendOnly", "invariants"}

// timestampNTZ is the one feature beyond those versions that millrace has: columns of timestamps without a zone.
const timestampNTZ = "timestampNtz"

// protocolOf is what a new table of the schema asks of its readers and writers.
func protocolOf(schema column.Schema) *Protocol {
	for _, f := range schema {
		if holds(f.Type, column.TimestampNTZ) {
			return &Protocol{
				MinReader: featureReader, MinWriter: featureWriter, ReaderFeatures: []string{timestampNTZ},
				WriterFeatures: append([]string{timestampNTZ}, writerFeatures[:]...),
			}
		}
	}
	return &Protocol{MinReader: readerVersion, MinWriter: writerVersion}
}

// allows says why a table can't get columns: it would need a feature that shuts its older readers out, and that is not for
// a writer of rows to decide.
func (p *Protocol) allows(fresh column.Schema) error {
	if slices.Contains(p.WriterFeatures, timestampNTZ) {
		return nil
	}
	for _, f := range fresh {
		if holds(f.Type, column.TimestampNTZ) {
			return fmt.Errorf("%w: column %s of type %s asks for the feature %s, which the table does not have; give it to the table, which shuts out readers that lack it "+
				"(in Spark: ALTER TABLE … SET TBLPROPERTIES ('delta.feature.%s' = 'supported')), or make the column a timestamp or a string", ErrUnfit, f.Name, f.Type, timestampNTZ, timestampNTZ)
		}
	}
	return nil
}

// holds says whether values of kind k are in those of type t.
func holds(t column.Type, k column.Kind) bool {
	if t.Kind == column.Array {
		return holds(t.Elem(), k)
	}
	return t.Kind == k || slices.ContainsFunc(t.Fields(), func(f column.Field) bool { return holds(f.Type, k) })
}

// The versions of readers and writers that name the features they ask for.
const (
	featureReader = 3
	featureWriter = 7
)

// legacyFeatures is what each reader or writer version brought before features had names of their own.
var legacyFeatures = [...]struct {
	reader, writer int
	names          string
}{
	{1, 3, "checkConstraints"},
	{1, 4, "changeDataFeed, generatedColumns"},
	{2, 5, "columnMapping"},
	{2, 6, "identityColumns"},
}

// readable says why a table of protocol p can't be read.
func (p *Protocol) readable() error {
	var names []string
	switch p.MinReader {
	case readerVersion:
		return nil
	case 2:
		names = []string{"columnMapping"}
	case featureReader:
		if names = without(p.ReaderFeatures, timestampNTZ); len(names) == 0 {
			return nil
		}
	}
	return p.refuse("reader", p.MinReader, readerVersion, names)
}

// without is the names that are none of known.
func without(names []string, known ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(known, name) })
}

// writable says why nothing can be appended to a table of protocol p.
func (p *Protocol) writable() error {
	if err := p.readable(); err != nil {
		return err
	}
	if 1 <= p.MinWriter && p.MinWriter <= writerVersion {
		return nil
	}
	var names []string
	if p.MinWriter == featureWriter {
		if names = without(p.WriterFeatures, append(writerFeatures[:], timestampNTZ)...); len(names) == 0 {
			return nil
		}
	}
	for _, f := range legacyFeatures {
		if f.writer <= p.MinWriter && p.MinWriter < featureWriter {
			names = append(names, f.names)
		}
	}
	return p.refuse("writer", p.MinWriter, writerVersion, names)
}

func (p *Protocol) refuse(role string, asked, have int, names []string) error {
	if asked < 1 || asked > featureWriter || role == "reader" && asked > featureReader {
		return fmt.Errorf("the table asks for %s version %d, which no protocol knows of: %w", role, asked, ErrUnsupported)
	}
	of := ""
	if len(names) > 0 {
		of = " (" + strings.Join(names, ", ") + ")"
	}
	return fmt.Errorf("the table asks for %s version %d%s, millrace has version %d: %w", role, asked, of, have, ErrUnsupported)
}
