package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/millrace-io/millrace/engine/blob"
)

// partSize is the bytes of a part of an upload, and of the largest object that is put in one request. Parts
// double every growAfter of them, so that the 10,000 that an upload may have hold the 5 TiB that an object
// may.
const (
	partSize  = 8 << 20
	growAfter = 2000
)

// partPool keeps the memory of parts.
type partPool struct{ free sync.Pool }

func newPartPool() *partPool { return &partPool{} }

// take gives an empty buffer for a part of the usual size.
func (p *partPool) take() []byte {
	if b, ok := p.free.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, partSize)
}

func (p *partPool) give(b []byte) {
	if cap(b) == partSize {
		p.free.Put(&b)
	}
}

// Create begins an object that is written in pieces. What is written is held until a part is full, which is
// then uploaded while the next one fills: an open object holds two parts at most, and what it was given if
// that is less than one. An object of less than a part is put by Close in one request.
func (s *Store) Create(ctx context.Context, name string) (blob.Writer, error) {
	err := blob.CheckName(name)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, s.failed("create", name, err)
	}
	return &writer{store: s, ctx: ctx, name: name}, nil
}

type writer struct {
	store *Store
	ctx   context.Context
	name  string
	part  []byte

	upload *string // its id; nil: not begun
	parts  []types.CompletedPart
	size   int64
	flying chan error // the part that is being uploaded; nil: none
	sent   []byte     // the memory of that part, or of the last one: the next but one fills it again
}

// Write implements blob.Writer.
func (w *writer) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n := min(len(p), w.limit()-len(w.part))
		w.grow(n)
		w.part = append(w.part, p[:n]...)
		p, written = p[n:], written+n
		if len(w.part) == w.limit() {
			if err := w.send(); err != nil {
				return written, w.store.failed("write", w.name, err)
			}
		}
	}
	return written, nil
}

// limit is the size of the part that is being filled.
func (w *writer) limit() int { return partSize << (len(w.parts) / growAfter) }

// grow makes room for n bytes. A first part that is small yet does not take the memory of a whole one.
func (w *writer) grow(n int) {
	need := len(w.part) + n
	if need <= cap(w.part) {
		return
	}
	var roomier []byte
	switch {
	case w.upload == nil && need <= partSize/4:
		roomier = make([]byte, 0, max(2*cap(w.part), need))
	case need <= partSize:
		roomier = w.store.parts.take()
	default:
		roomier = make([]byte, 0, w.limit())
	}
	w.part = append(roomier, w.part...)
}

// send begins to upload the part that is full, once the one before it is up.
func (w *writer) send() error {
	if err := w.land(); err != nil {
		return err
	}
	if w.upload == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	part := w.part
	w.part, w.sent = w.sent[:0], part
	number := int32(len(w.parts) + 1)
	w.parts = append(w.parts, types.CompletedPart{PartNumber: aws.Int32(number)})
	w.size += int64(len(part))
	w.flying = make(chan error, 1)
	go func(done chan<- error, at *types.CompletedPart) {
		done <- w.put(part, number, at)
	}(w.flying, &w.parts[number-1])
	return nil
}

// land waits for the part in flight.
func (w *writer) land() error {
	if w.flying == nil {
		return nil
	}
	err := <-w.flying
	w.flying = nil
	return err
}

func (w *writer) begin() error {
	return w.store.again(w.ctx, "CreateMultipartUpload", 0, func(ctx context.Context) error {
		out, err := w.store.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
			Bucket: w.store.bucket(), Key: w.store.key(w.name), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		})
		if err == nil {
			w.upload = out.UploadId
		}
		return err
	})
}

func (w *writer) put(part []byte, number int32, at *types.CompletedPart) error {
	return w.store.again(w.ctx, "UploadPart", int64(len(part)), func(ctx context.Context) error {
		out, err := w.store.client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: w.store.bucket(), Key: w.store.key(w.name), UploadId: w.upload, PartNumber: aws.Int32(number), Body: bytes.NewReader(part),
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		})
		if err == nil {
			at.ETag, at.ChecksumCRC32 = out.ETag, out.ChecksumCRC32
		}
		return err
	})
}

// Close implements blob.Writer.
func (w *writer) Close() error {
	err := w.finish()
	if err != nil {
		return w.store.failed("close", w.name, errors.Join(err, w.drop()))
	}
	w.free()
	return nil
}

func (w *writer) finish() error {
	if w.upload == nil {
		return w.store.put(w.ctx, w.name, w.part)
	}
	if len(w.part) > 0 {
		if err := w.send(); err != nil {
			return err
		}
	}
	if err := w.land(); err != nil {
		return err
	}
	return w.complete()
}

// complete makes the object of its parts. A server may have done it and its answer be lost: it then knows the
// upload no more, and the object is there with its size.
func (w *writer) complete() error {
	open := false
	return w.store.again(w.ctx, "CompleteMultipartUpload", 0, func(ctx context.Context) error {
		_, err := w.store.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: w.store.bucket(), Key: w.store.key(w.name), UploadId: w.upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: w.parts},
		})
		if open && isNotFound(err) {
			if info, headErr := w.store.head(w.ctx, w.name); headErr == nil && info.Size == w.size {
				return nil
			}
		}
		open = open || err != nil && kindOf(err) != final
		return err
	})
}

// free gives the memory of parts back. None is in flight.
func (w *writer) free() {
	w.store.parts.give(w.part)
	w.store.parts.give(w.sent)
	w.part, w.sent = nil, nil
}

// Abort implements blob.Writer.
func (w *writer) Abort() error {
	if err := w.drop(); err != nil {
		return w.store.failed("abort", w.name, err)
	}
	return nil
}

// drop gives the upload up. It is tried also when the writer's context is over: what is left of an upload
// costs money until somebody sweeps it.
func (w *writer) drop() error {
	_ = w.land() // its failure does not matter any more
	w.free()
	if w.upload == nil {
		return nil
	}
	return w.store.abort(context.WithoutCancel(w.ctx), *w.store.key(w.name), w.upload)
}

func (s *Store) abort(ctx context.Context, key string, upload *string) error {
	err := s.again(ctx, "AbortMultipartUpload", 0, func(ctx context.Context) error {
		_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: s.bucket(), Key: aws.String(key), UploadId: upload})
		return err
	})
	if err != nil && !isNotFound(err) {
		return fmt.Errorf("give up an upload: %w", err)
	}
	return nil
}
