package kinesis

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine"
)

// A Config says which stream to read and how. It is what stands under kinesis: in a definition. What is empty of region,
// endpoint and profile comes from where the AWS command line takes it: AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL_KINESIS
// and the other variables, ~/.aws, the machine's role. A Config holds no credentials.
type Config struct {
	Stream       string        `yaml:"stream" doc:"Name of the stream to read, all of its shards."`
	ARN          string        `yaml:"arn" doc:"ARN of the stream, instead of its name; needed for a stream of another account."`
	At           string        `yaml:"at" doc:"Where a first start begins: with the records that arrived at this time or later, such as 2026-01-02T03:04:05Z. Default: the oldest there are."`
	FanOut       string        `yaml:"enhanced_fan_out" doc:"Name of a registered consumer, which has 2 MiB/s of each shard for itself and costs extra; it is registered if there is none. Default: shards are polled."`
	Poll         time.Duration `yaml:"poll" doc:"Pause before a shard is asked again that had nothing more, 200ms to 1m. All readers of a stream together may ask a shard 5 times a second."`
	Compression  string        `yaml:"compression" enum:"none|gzip|zlib|auto" doc:"How records are compressed. What is not compressed so is taken as it is; auto looks at how a record begins."`
	Base64       bool          `yaml:"base64" doc:"Records are base64 of what they are, as an API gateway may send them. What is no base64 is taken as it is."`
	Region       string        `yaml:"region" doc:"Region of the stream, such as eu-central-1. Default: that of the ARN, or AWS_REGION."`
	Endpoint     string        `yaml:"endpoint" doc:"URL of another server than Amazon's. Default: AWS_ENDPOINT_URL_KINESIS."`
	Role         string        `yaml:"role" doc:"ARN of a role to take on."`
	Profile      string        `yaml:"profile" doc:"Profile of ~/.aws/config. Default: AWS_PROFILE."`
	CA           string        `yaml:"ca" doc:"File of the authorities to trust, PEM. Default: the system's."`
	Unthrottled  bool          // reads as often as it can, for servers in the process
	FetchRecords int           // most records of one answer; 0: as the memory budget allows
}

// Defaults are the settings of a stream about which nothing is said.
func Defaults() Config { return Config{Poll: 500 * time.Millisecond, Compression: "none"} }

// The bounds of Config.Poll.
const (
	leastPoll = 200 * time.Millisecond
	mostPoll  = time.Minute
)

// LogValue implements slog.LogValuer.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("stream", c.name()), slog.String("region", c.Region), slog.String("endpoint", c.Endpoint))
}

// String names the stream.
func (c Config) String() string {
	if c.Endpoint != "" {
		return fmt.Sprintf("stream %s at %s", c.name(), c.Endpoint)
	}
	return "stream " + c.name()
}

// Explain says in a printed plan what a reader of it may want to know.
func (c Config) Explain() string {
	if c.FanOut != "" {
		return "enhanced fan-out as consumer " + c.FanOut
	}
	return fmt.Sprintf("polled at most 5 times and 2 MiB a second and shard, every %v when there is nothing new", c.Poll)
}

// compressions are what Config.Compression may be.
func compressions() []string { return []string{"none", "gzip", "zlib", "auto"} }

// What names and ARNs look like (the API's reference, CreateStream and GetRecords).
const (
	namePattern = `^[a-zA-Z0-9_.-]{1,128}$`
	arnPattern  = `^arn:aws[a-z-]*:kinesis:([a-z0-9-]+):\d{12}:stream/([a-zA-Z0-9_.-]{1,128})$`
)

// Validate reports everything that is wrong; it opens no file and no connection.
func (c *Config) Validate() error {
	var faults engine.Faults
	fault := func(name, format string, args ...any) {
		faults = append(faults, engine.Fault{Path: []string{name}, Message: fmt.Sprintf(format, args...)})
	}
	switch {
	case c.Stream == "" && c.ARN == "":
		faults = append(faults, engine.Fault{Message: "no stream is named: give stream or arn"})
	case c.Stream != "" && c.ARN != "":
		fault("arn", "the stream is named already: give stream or arn")
	case c.Stream != "" && !regexp.MustCompile(namePattern).MatchString(c.Stream):
		fault("stream", "stream %q: expected up to 128 letters, digits, dots, dashes and underscores; an ARN stands under arn", c.Stream)
	case c.ARN != "" && !regexp.MustCompile(arnPattern).MatchString(c.ARN):
		fault("arn", "arn %q: expected a stream's, such as arn:aws:kinesis:eu-central-1:123456789012:stream/pins", c.ARN)
	}
	if c.At != "" {
		if t, err := time.Parse(time.RFC3339, c.At); err != nil || t.IsZero() {
			fault("at", "time %q: expected one such as 2026-01-02T03:04:05Z", c.At)
		}
	}
	if c.FanOut != "" && !regexp.MustCompile(namePattern).MatchString(c.FanOut) {
		fault("enhanced_fan_out", "consumer %q: expected up to 128 letters, digits, dots, dashes and underscores", c.FanOut)
	}
	if (c.Poll < leastPoll || c.Poll > mostPoll) && !c.Unthrottled {
		fault("poll", "expected a pause from %v to %v, found %v", leastPoll, mostPoll, c.Poll)
	}
	if !slices.Contains(compressions(), c.Compression) {
		fault("compression", "no compression %q: there are %s", c.Compression, strings.Join(compressions(), ", "))
	}
	if c.Endpoint != "" && !strings.HasPrefix(c.Endpoint, "http://") && !strings.HasPrefix(c.Endpoint, "https://") {
		fault("endpoint", "endpoint %q: expected http://host:port or https://host:port", c.Endpoint)
	}
	if c.Role != "" && !strings.HasPrefix(c.Role, "arn:") {
		fault("role", "role %q: expected the ARN of a role, such as arn:aws:iam::123456789012:role/reader", c.Role)
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// name is the stream's name, whichever way it was given.
func (c *Config) name() string {
	if c.Stream != "" {
		return c.Stream
	}
	return c.ARN[strings.LastIndexByte(c.ARN, '/')+1:]
}

// region is the configured region, or that of the ARN.
func (c *Config) region() string {
	if m := regexp.MustCompile(arnPattern).FindStringSubmatch(c.ARN); c.Region == "" && m != nil {
		return m[1]
	}
	return c.Region
}

// first is where the oldest record to read is: engine.Partition.FirstAt.
func (c *Config) first() string {
	if c.At == "" {
		return ""
	}
	t, err := time.Parse(time.RFC3339, c.At)
	if err != nil {
		panic("kinesis: a config that was not validated: " + err.Error())
	}
	return positionAt(t)
}

// The bounds of one answer.
const (
	mostRecords = 10_000  // the protocol's
	goodAnswer  = 1 << 20 // bytes: two a second are what a shard gives, and larger ones leave the cache of the processor
	leastAnswer = 64 << 10
)

// answerSize is the bytes of an answer, about. budget is the memory for all that is in flight, of which the answers of
// all shards may take a quarter.
func (c *Config) answerSize(budget int64, shards int) int {
	return int(min(goodAnswer, max(leastAnswer, budget/int64(4*max(1, shards)))))
}
