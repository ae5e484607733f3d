package delta

import (
	"fmt"
	"slices"
	"strings"
)

// What tables are made with, and the most that is read and written: Spark's own default.
const (
	readerVersion = 1
	writerVersion = 2
)

// writerFeatures is what writer version 2 is made of, by the names that tables of writer version 7 use.
var writerFeatures = [...]string{"appendOnly", "invariants"}

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
	if p.MinReader == readerVersion {
		return nil
	}
	var names []string
	if p.MinReader == 2 {
		names = []string{"columnMapping"}
	}
	return p.refuse("reader", p.MinReader, readerVersion, append(names, p.ReaderFeatures...))
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
	if p.MinWriter == 7 {
		names = slices.DeleteFunc(slices.Clone(p.WriterFeatures), func(name string) bool { return slices.Contains(writerFeatures[:], name) })
		if len(names) == 0 {
			return nil
		}
	}
	for _, f := range legacyFeatures {
		if f.writer <= p.MinWriter && p.MinWriter < 7 {
			names = append(names, f.names)
		}
	}
	return p.refuse("writer", p.MinWriter, writerVersion, names)
}

func (p *Protocol) refuse(role string, asked, have int, names []string) error {
	if asked < 1 || asked > 7 || role == "reader" && asked > 3 {
		return fmt.Errorf("the table asks for %s version %d, which no protocol knows of: %w", role, asked, ErrUnsupported)
	}
	of := ""
	if len(names) > 0 {
		of = " (" + strings.Join(names, ", ") + ")"
	}
	return fmt.Errorf("the table asks for %s version %d%s, millrace has version %d: %w", role, asked, of, have, ErrUnsupported)
}
