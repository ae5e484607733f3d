package spec

import (
	"net/url"
	"strconv"
	"strings"
)

// lakeText is where the tables are: a folder or a URL. A bucket's options are behind its URL's question mark,
// as s3.ParseURL reads them.
type lakeText string

// bucketLayout is the other form that lake has, a map.
type bucketLayout struct {
	URL       string `yaml:"url,required" doc:"s3://bucket/prefix."`
	Region    string `yaml:"region" doc:"Region of the bucket. Default: AWS_REGION, or the profile's."`
	Endpoint  string `yaml:"endpoint" doc:"URL of another server than Amazon's, such as http://localhost:7070."`
	PathStyle bool   `yaml:"path_style" doc:"The bucket is part of the path, not of the host's name. Most other servers want it."`
	Profile   string `yaml:"profile" doc:"Profile of ~/.aws/config."`
	Role      string `yaml:"role" doc:"ARN of a role to take on."`
	CA        string `yaml:"ca" doc:"File of certificates, PEM, that the server's is checked against."`
}

// UnmarshalNode takes a text or a map.
func (l *lakeText) UnmarshalNode(n Node) error {
	if n.Kind() != Mapping {
		var text string
		err := n.Decode(&text)
		*l = lakeText(text)
		return err
	}
	var b bucketLayout
	if err := n.Decode(&b); err != nil {
		return err
	}
	if strings.Contains(b.URL, "?") {
		at, _ := n.Get("url")
		return at.Errorf("%s: options stand beside url here, not behind a question mark", b.URL)
	}
	*l = lakeText(b.text())
	return nil
}

// text is the URL with the options behind it.
func (b *bucketLayout) text() string {
	options := url.Values{}
	for key, value := range map[string]string{"region": b.Region, "endpoint": b.Endpoint, "profile": b.Profile, "role": b.Role, "ca": b.CA} {
		if value != "" {
			options.Set(key, value)
		}
	}
	if b.PathStyle {
		options.Set("path_style", strconv.FormatBool(true))
	}
	if len(options) == 0 {
		return b.URL
	}
	return b.URL + "?" + options.Encode()
}

// JSONSchema is a text or the map.
func (lakeText) JSONSchema() map[string]any {
	return schema{
		"description": "Where the tables are: a folder, as a path or a file:// URL, or a bucket, as s3://bucket/prefix or as a map of its URL and options.",
		"anyOf":       []schema{{"type": "string"}, SchemaOf(bucketLayout{})},
	}
}
