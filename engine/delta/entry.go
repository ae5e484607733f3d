package delta

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/millrace-io/millrace/engine/blob"
)

// readEntry reads the log entry of a version.
func readEntry(ctx context.Context, store blob.Store, version int64) ([]byte, error) {
	data, err := store.Get(ctx, entryName(version))
	if err != nil {
		return nil, fmt.Errorf("read version %d of %s: %w", version, store.URL(), err)
	}
	return data, nil
}

// eachAction calls yield with the actions of a log entry in their order. With files unset it passes over adds
// and removes, mostly without parsing them: a writer needs none, and they are most of a log.
func eachAction(data []byte, files bool, yield func(action) error) error {
	n := 0
	for text := range bytes.Lines(data) {
		n++
		text = bytes.TrimSpace(text)
		if len(text) == 0 || !files && (bytes.HasPrefix(text, []byte(`{"add":`)) || bytes.HasPrefix(text, []byte(`{"remove":`))) {
			continue
		}
		var a action
		if err := json.Unmarshal(text, &a); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if err := a.check(); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if err := yield(a); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return nil
}

// check finds what can't be told from a value that is merely empty later on.
func (a *action) check() error {
	switch {
	case a.Add != nil && a.Add.Path == "":
		return errors.New("an add without a path")
	case a.Remove != nil && a.Remove.Path == "":
		return errors.New("a remove without a path")
	case a.Txn != nil && a.Txn.AppID == "":
		return errors.New("a txn without an appId")
	}
	return nil
}

// info is the commitInfo of a log entry, or nil. What of it is not of the expected form counts as absent:
// writers put there what they like.
func info(data []byte) *CommitInfo {
	var found *CommitInfo
	_ = eachAction(data, false, func(a action) error { // a broken line is found by who needs it
		if a.Info != nil {
			var c CommitInfo
			_ = json.Unmarshal(a.Info, &c) // fills the fields that fit
			found = &c
		}
		return nil
	})
	return found
}
