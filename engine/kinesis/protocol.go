package kinesis

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A protocol is the SDK's, but for what carries records: answers to GetRecords and events of subscriptions come to this
// package as they are. GetRecords is asked in CBOR until the server turns out not to know it.
type protocol struct {
	smithyhttp.ClientProtocol
	plain atomic.Bool // the server wants JSON
}

const cborType = "application/x-amz-cbor-1.1"

// An answerKey in a context leads to the *answer to fill, a bodyKey to the *io.ReadCloser of a subscription.
type (
	answerKey struct{}
	bodyKey   struct{}
)

// SerializeRequest implements smithyhttp.ClientProtocol.
func (p *protocol) SerializeRequest(ctx context.Context, op *smithy.OperationSchema, in smithy.Serializable, req *smithyhttp.Request) error {
	records, ok := in.(*kinesis.GetRecordsInput)
	if err := p.ClientProtocol.SerializeRequest(ctx, op, in, req); err != nil || !ok || p.plain.Load() {
		return err
	}
	n := uint64(2)
	if records.StreamARN != nil {
		n++
	}
	b := appendCBORText(appendCBOR(nil, cborMap, n), "ShardIterator")
	b = appendCBORText(appendCBORText(b, aws.ToString(records.ShardIterator)), "Limit")
	b = appendCBOR(b, cborUint, uint64(aws.ToInt32(records.Limit)))
	if records.StreamARN != nil {
		b = appendCBORText(appendCBORText(b, "StreamARN"), *records.StreamARN)
	}
	with, err := req.SetStream(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("make a request in CBOR: %w", err)
	}
	*req = *with
	req.Header.Set("Content-Type", cborType)
	return nil
}

// DeserializeResponse implements smithyhttp.ClientProtocol.
func (p *protocol) DeserializeResponse(ctx context.Context, op *smithy.OperationSchema, types *smithy.TypeRegistry, resp *smithyhttp.Response, out smithy.Deserializable) error {
	a, isAnswer := ctx.Value(answerKey{}).(*answer)
	body, isEvents := ctx.Value(bodyKey{}).(*io.ReadCloser)
	isCBOR := strings.HasPrefix(resp.Header.Get("Content-Type"), cborType)
	failed := resp.StatusCode < 200 || resp.StatusCode >= 300
	switch {
	case failed && isCBOR:
		b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		if err != nil {
			return err
		}
		code, message := readCBORError(b)
		return &smithy.GenericAPIError{Code: code[strings.LastIndexByte(code, '#')+1:], Message: message}
	case isEvents && !failed:
		*body, resp.Body = resp.Body, http.NoBody
		return nil
	case !isAnswer || failed:
		return p.ClientProtocol.DeserializeResponse(ctx, op, types, resp, out)
	}
	begin := time.Now()
	err := a.read(resp.Body, resp.ContentLength)
	if err == nil && isCBOR {
		err = a.readCBOR()
	} else if err == nil {
		err = a.readJSON()
	}
	a.spent += time.Since(begin)
	return err
}

// HasInitialEventMessage implements smithyhttp.ClientProtocol: the message is passed over with the other events, and some
// servers send none.
func (p *protocol) HasInitialEventMessage() bool { return false }

// DeserializeEventMessage implements smithyhttp.ClientProtocol: the events were taken away.
func (p *protocol) DeserializeEventMessage(*smithy.Schema, *smithy.TypeRegistry, io.Reader) (smithy.Deserializable, error) {
	return nil, io.EOF
}

// read fills the body; length is how much comes, or -1.
func (a *answer) read(from io.Reader, length int64) error {
	if length > int64(cap(a.body)) && length <= mostAnswer {
		a.body = make([]byte, 0, length+length/8)
	}
	a.body = a.body[:0]
	for {
		if len(a.body) == cap(a.body) {
			if len(a.body) > mostAnswer {
				return damaged{fmt.Sprintf("it is larger than %d bytes", mostAnswer)}
			}
			a.body = append(make([]byte, 0, max(64<<10, 2*cap(a.body))), a.body...)
		}
		n, err := from.Read(a.body[len(a.body):cap(a.body)])
		a.body = a.body[:len(a.body)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
	}
}

// mostAnswer bounds the bytes of an answer: 10 MiB of data in base64, keys and numbers.
const mostAnswer = 64 << 20
