package blobtest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/millrace-io/millrace/engine/blob"
)

const (
	racers = 16
	rounds = 50
)

// oneWinner: of racers that put the same absent object, one wins and the others learn that it exists, and
// what it then holds is the winner's.
func oneWinner(t *testing.T, s blob.Store) {
	for round := range rounds {
		name := fmt.Sprintf("log/%020d.json", round)
		var winners, won atomic.Int32
		race(func(racer int) {
			switch err := s.PutIfAbsent(t.Context(), name, content(racer)); {
			case err == nil:
				winners.Add(1)
				won.Store(int32(racer))
			case !errors.Is(err, blob.ErrExists):
				t.Errorf("round %d: %v, want already exists", round, err)
			}
		})
		if n := winners.Load(); n != 1 {
			t.Fatalf("round %d has %d winners, want 1", round, n)
		}
		wantGet(t, s, name, string(content(int(won.Load()))))
	}
}

// race runs body once for each racer, all at once.
func race(body func(racer int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for racer := range racers {
		wg.Go(func() {
			<-start
			body(racer)
		})
	}
	close(start)
	wg.Wait()
}

// content is 64 KiB of one byte, so that a part of it shows by its length and a mixture by its bytes.
func content(racer int) []byte { return bytes.Repeat([]byte{byte('a' + racer)}, 64<<10) }

// noPartialObject: while objects are written and replaced in every way, who reads one sees it whole.
func noPartialObject(t *testing.T, s blob.Store) {
	const objects = 4
	race(func(racer int) {
		for round := range rounds {
			name := fmt.Sprintf("objects/%d", round%objects)
			if racer%2 == 0 {
				write(t, s, name, racer+round)
				continue
			}
			data, err := s.Get(t.Context(), name)
			if errors.Is(err, blob.ErrNotFound) {
				continue
			}
			if err != nil {
				t.Error(err)
				return
			}
			if len(data) != 64<<10 || bytes.Count(data, data[:1]) != len(data) {
				t.Errorf("read a part or a mixture: %d bytes", len(data))
			}
			listWhole(t, s)
		}
	})
}

func write(t *testing.T, s blob.Store, name string, way int) {
	data := content(way % 26)
	var err error
	switch way % 3 {
	case 0:
		err = s.Put(t.Context(), name, data)
	case 1:
		if err = s.PutIfAbsent(t.Context(), name, data); errors.Is(err, blob.ErrExists) {
			err = nil
		}
	default:
		err = stream(t, s, name, data)
	}
	if err != nil {
		t.Error(err)
	}
}

func stream(t *testing.T, s blob.Store, name string, data []byte) error {
	w, err := s.Create(t.Context(), name)
	if err != nil {
		return err
	}
	for part := range bytes.Lines(data) { // one line: the whole, then cut in two
		half := len(part) / 2
		if _, err := w.Write(part[:half]); err != nil {
			return errors.Join(err, w.Abort())
		}
		if _, err := w.Write(part[half:]); err != nil {
			return errors.Join(err, w.Abort())
		}
	}
	return w.Close()
}

// listWhole checks that no list shows an object of another size than a whole one, nor a name nobody gave.
func listWhole(t *testing.T, s blob.Store) {
	for info, err := range s.List(t.Context(), "objects", "") {
		if err != nil {
			t.Error(err)
			return
		}
		if info.Size != 64<<10 || len(info.Name) != len("objects/0") {
			t.Errorf("list shows %+v", info)
		}
	}
}
