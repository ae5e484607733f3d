package kinesis

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

// Of connections: each shard has a request under way at most.
const (
	mostIdle   = 512
	readBuffer = 64 << 10 // bytes: few calls of the kernel an answer
)

// newClient makes the client of a valid config, and gives what closes its connections. It reads files of configuration, and
// asks nothing of the network.
func newClient(c Config, p *protocol) (client *kinesis.Client, closeIdle func(), err error) {
	shared, err := load(context.Background(), c)
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

// load reads what is configured outside, and puts what the config says before it.
func load(ctx context.Context, c Config) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost, t.ReadBufferSize = mostIdle, mostIdle, readBuffer
	})
	opts := []func(*config.LoadOptions) error{config.WithHTTPClient(client), config.WithLogger(logging.Nop{})} // errors are returned, not logged
	if region := c.region(); region != "" {
		opts = append(opts, config.WithRegion(region))
	}
	if c.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(c.Profile))
	}
	if c.CA != "" {
		f, err := os.Open(c.CA)
		if err != nil {
			return aws.Config{}, fmt.Errorf("ca: %w", err)
		}
		defer f.Close() //nolint:errcheck // it was read, or the load has failed
		opts = append(opts, config.WithCustomCABundle(f))
	}
	shared, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return shared, err
	}
	if shared.Region == "" {
		if c.Endpoint == "" && shared.BaseEndpoint == nil && os.Getenv("AWS_ENDPOINT_URL_KINESIS") == "" && os.Getenv("AWS_ENDPOINT_URL") == "" {
			return shared, errors.New("no region is set: say region in the source's definition, or set AWS_REGION")
		}
		shared.Region = "us-east-1" // other servers take any
	}
	if c.Role != "" {
		role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(shared), c.Role, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "millrace" })
		shared.Credentials = aws.NewCredentialsCache(role)
	}
	return shared, nil
}
