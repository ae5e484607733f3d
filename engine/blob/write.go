package blob

import (
	"context"
	"errors"
)

// WriteObject writes an object of several parts, whole or not at all, over one of the same name: as one Put if it is
// small, else piece by piece, without a copy of all. It may be tried again under another name after an error.
func WriteObject(ctx context.Context, s Store, name string, parts [][]byte) error {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	if size <= piece {
		data := make([]byte, 0, size)
		for _, p := range parts {
			data = append(data, p...)
		}
		return s.Put(ctx, name, data)
	}
	w, err := s.Create(ctx, name)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			return errors.Join(err, w.Abort())
		}
	}
	return w.Close()
}
