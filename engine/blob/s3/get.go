package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/millrace-io/millrace/engine/blob"
)

// Get reads a whole object.
func (s *Store) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := s.get(ctx, name)
	if err != nil {
		return nil, s.failed("get", name, err)
	}
	return data, nil
}

func (s *Store) get(ctx context.Context, name string) (data []byte, err error) {
	if err := blob.CheckName(name); err != nil {
		return nil, err
	}
	err = s.watched(ctx, "GetObject", 0, func(ctx context.Context, progress func()) error {
		out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket(), Key: s.key(name)})
		if err == nil {
			data, err = readBody(out, progress)
		}
		return err
	})
	return data, err
}

// step is the bytes that are read at a time before progress is told.
const step = 1 << 20

// readBody reads an answer to its end.
func readBody(out *s3.GetObjectOutput, progress func()) (data []byte, err error) {
	data = make([]byte, max(aws.ToInt64(out.ContentLength), 0))
	for read := 0; read < len(data) && err == nil; read += step {
		_, err = io.ReadFull(out.Body, data[read:min(read+step, len(data))])
		progress()
	}
	if closeErr := out.Body.Close(); err == nil {
		err = closeErr
	}
	return data, err
}

// Range reads a part of an object.
func (s *Store) Range(ctx context.Context, name string, offset, n int64) ([]byte, error) {
	data, err := s.readRange(ctx, name, offset, n)
	if err != nil {
		return nil, s.failed("range", name, err)
	}
	return data, nil
}

func (s *Store) readRange(ctx context.Context, name string, offset, n int64) (data []byte, err error) {
	if err := blob.CheckName(name); err != nil {
		return nil, err
	}
	if n <= 0 { // no range means nothing
		_, err := s.head(ctx, name)
		return nil, err
	}
	span := fmt.Sprintf("bytes=%d-%d", offset, offset+min(n, math.MaxInt64-max(offset, 0))-1)
	if offset < 0 {
		span = fmt.Sprintf("bytes=%d", offset) // the last -offset bytes, of which n are kept
	}
	err = s.watched(ctx, "GetObject", 0, func(ctx context.Context, progress func()) error {
		out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket(), Key: s.key(name), Range: aws.String(span)})
		switch {
		case status(err) == http.StatusRequestedRangeNotSatisfiable && offset < 0:
			data, err = s.get(ctx, name) // it is shorter than that, or empty
			data = data[:min(n, int64(len(data)))]
			return err
		case status(err) == http.StatusRequestedRangeNotSatisfiable:
			data = nil // it begins behind the end
			return nil
		case err != nil:
			return err
		}
		data, err = readBody(out, progress)
		if out.ContentRange == nil { // the server has no ranges, or the object is within it
			from, to := blob.Span(int64(len(data)), offset, n)
			data = data[from:to]
		}
		data = data[:min(n, int64(len(data)))]
		return err
	})
	return data, err
}

// Stat gives the size of an object.
func (s *Store) Stat(ctx context.Context, name string) (blob.Info, error) {
	if err := blob.CheckName(name); err != nil {
		return blob.Info{}, s.failed("stat", name, err)
	}
	info, err := s.head(ctx, name)
	if err != nil {
		return blob.Info{}, s.failed("stat", name, err)
	}
	return info, nil
}

func (s *Store) head(ctx context.Context, name string) (info blob.Info, err error) {
	err = s.again(ctx, "HeadObject", 0, func(ctx context.Context) error {
		out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: s.bucket(), Key: s.key(name)})
		if err == nil {
			info = blob.Info{Name: name, Size: aws.ToInt64(out.ContentLength), ModifiedMillis: aws.ToTime(out.LastModified).UnixMilli()}
		}
		return err
	})
	return info, err
}

// List yields the objects in pages of a thousand, each asked for when it is needed. Keys that no Store has
// written, such as folders that consoles make, are passed over.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		in := &s3.ListObjectsV2Input{Bucket: s.bucket(), Prefix: s.key(prefix), EncodingType: types.EncodingTypeUrl}
		if after != "" {
			in.StartAfter = s.key(after)
		}
		for {
			out, err := s.page(ctx, in)
			if err != nil {
				yield(blob.Info{}, s.failed("list", prefix, err))
				return
			}
			for _, o := range out.Contents {
				info, ok, err := s.listed(out, o)
				if err != nil {
					yield(blob.Info{}, s.failed("list", prefix, err))
					return
				}
				if ok && !yield(info, nil) {
					return
				}
			}
			if !aws.ToBool(out.IsTruncated) {
				return
			}
			if aws.ToString(out.NextContinuationToken) == "" {
				yield(blob.Info{}, s.failed("list", prefix, errors.New("the server says that there is more, and not how to ask for it")))
				return
			}
			in.ContinuationToken = out.NextContinuationToken
		}
	}
}

func (s *Store) page(ctx context.Context, in *s3.ListObjectsV2Input) (out *s3.ListObjectsV2Output, err error) {
	err = s.again(ctx, "ListObjectsV2", 0, func(ctx context.Context) (err error) {
		out, err = s.client.ListObjectsV2(ctx, in)
		return err
	})
	return out, err
}

// listed is an object of a page; ok is false for one that is none of ours.
func (s *Store) listed(page *s3.ListObjectsV2Output, o types.Object) (info blob.Info, ok bool, err error) {
	key := aws.ToString(o.Key)
	if page.EncodingType == types.EncodingTypeUrl {
		if key, err = url.QueryUnescape(key); err != nil {
			return info, false, err
		}
	}
	if len(key) < len(s.prefix) {
		return info, false, fmt.Errorf("the server lists %q, which does not begin with %q", key, s.prefix)
	}
	name := key[len(s.prefix):]
	info = blob.Info{Name: name, Size: aws.ToInt64(o.Size), ModifiedMillis: aws.ToTime(o.LastModified).UnixMilli()}
	return info, blob.CheckName(name) == nil, nil
}
