package kinesis

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go/logging"

	"github.com/millrace-io/millrace/engine/amazon"
)

// Of connections: each shard has a request under way at most.
const (
	mostIdle   = 512
	readBuffer = 64 << 10 // bytes: few calls of the kernel an answer
)

// newClient makes the client of a valid config, and gives what closes its connections. It reads files of configuration, and
// asks nothing of the network.
func newClient(c Config, p *protocol) (client *kinesis.Client, closeIdle func(), err error) {
	transport := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost, t.ReadBufferSize = mostIdle, mostIdle, readBuffer
	})
	shared, err := amazon.Load(context.Background(), amazon.Access{
		Service: "KINESIS", Of: "the source's definition", Region: c.region(), Profile: c.Profile, Role: c.Role, Endpoint: c.Endpoint, CA: c.CA,
	}, config.WithHTTPClient(transport), config.WithLogger(logging.Nop{})) // errors are returned, not logged
	if err != nil {
		return nil, nil, fmt.Errorf("%v: %w", c, err)
	}
	closeIdle = func() {}
	return kinesis.NewFromConfig(shared, func(o *kinesis.Options) {
		if c.Endpoint != "" {
			o.BaseEndpoint = aws.String(c.Endpoint)
		}
		if b, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
			t := b.GetTransport()
			closeIdle = t.CloseIdleConnections
			o.HTTPClient = &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		}
		o.Retryer = aws.NopRetryer{} // see shard.judge and Source.patiently
		p.ClientProtocol, o.Protocol = o.Protocol, p
	}), closeIdle, nil
}
