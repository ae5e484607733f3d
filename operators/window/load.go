package window

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// Load implements engine.Stateful. After an error the state is unspecified. It reads a section whole, and takes no more
// memory than some times its size.
func (o *operator) Load(slot int, r io.Reader) error {
	buf := bytes.NewBuffer(o.buffer[:0])
	if _, err := buf.ReadFrom(r); err != nil {
		return fmt.Errorf("window: read state: %w", err)
	}
	o.loaded, o.ready = true, false
	o.buffer = buf.Bytes()
	l := loader{operator: o, slot: slot, rest: o.buffer, size: buf.Len()}
	if err := l.section(); err != nil {
		return fmt.Errorf("window: %w", err)
	}
	return nil
}

// A loader reads a section.
type loader struct {
	*operator
	slot   int
	whole  bool
	rest   []byte
	size   int
	groups int // that were made
}

func (l *loader) section() error {
	head, err := l.take(headerBytes)
	if err != nil {
		return err
	}
	if head[0] != version || head[1] > 1 {
		return fmt.Errorf("state of version %d and kind %d: this program reads version %d, kinds 0 and 1", head[0], head[1], version)
	}
	l.whole = head[1] == 1
	s := &l.saved[l.slot]
	if l.whole && *s != (saved{}) {
		return fmt.Errorf("state of slot %d is whole, and sections came before it", l.slot)
	}
	l.floor = max(l.floor, engine.Time(binary.LittleEndian.Uint64(head[8:])))
	l.gone = max(l.gone, engine.Time(binary.LittleEndian.Uint64(head[16:])))
	for len(l.rest) > 0 {
		if err := l.run(); err != nil {
			return err
		}
	}
	if l.whole {
		*s = saved{whole: l.size, groups: l.groups}
	} else {
		s.since += l.size
		s.deltas++
		s.groups += l.groups
	}
	l.store.settle()
	return nil
}

// take reads n bytes.
func (l *loader) take(n int) ([]byte, error) {
	if len(l.rest) < n {
		return nil, fmt.Errorf("state of %d bytes is cut short", l.size)
	}
	b := l.rest[:n]
	l.rest = l.rest[n:]
	return b, nil
}

func (l *loader) run() error {
	head, err := l.take(runBytes)
	if err != nil {
		return err
	}
	start, end := engine.Time(binary.LittleEndian.Uint64(head)), engine.Time(binary.LittleEndian.Uint64(head[8:]))
	n := binary.LittleEndian.Uint32(head[16:])
	if start >= end || n == 0 {
		return fmt.Errorf("state has %d groups from %d to %d, which can't be", n, start, end)
	}
	number, err := l.store.run(start, end)
	if err != nil {
		return err
	}
	for range n {
		if err := l.group(number, start, end); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) group(number uint32, start, end engine.Time) error {
	head, err := l.take(groupBytes)
	if err != nil {
		return err
	}
	k := column.Key{Hi: binary.LittleEndian.Uint64(head), Lo: binary.LittleEndian.Uint64(head[8:])}
	flags := head[16]
	if k.Slot() != l.slot {
		return fmt.Errorf("state of slot %d has a key of slot %d", l.slot, k.Slot())
	}
	g, group, isNew, err := l.store.load(number, start, end, k, flags&inWhole != 0)
	switch {
	case err != nil:
		return err
	case isNew != (flags&withValues != 0) || flags > withValues|inWhole || l.whole && flags&inWhole == 0:
		return errors.New("state has a group that does not go on with what was saved before")
	}
	if isNew {
		l.groups++
		for i, c := range g.values {
			if l.rest, err = loadValue(c, l.rest, l.key[i].Required); err != nil {
				return err
			}
		}
		g.room(len(g.keys))
	}
	for _, s := range g.states {
		if l.rest, err = s.Load(l.rest, group); err != nil {
			return err
		}
	}
	return nil
}
