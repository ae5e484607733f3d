package s3

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseURL(t *testing.T) {
	for text, want := range map[string]Config{
		"s3://bucket":      {Bucket: "bucket"},
		"s3://bucket/":     {Bucket: "bucket"},
		"s3://bucket/a/b/": {Bucket: "bucket", Prefix: "a/b"},
		"s3://b/p?region=eu-1&endpoint=http%3A%2F%2Fh%3A7070&path_style=true&profile=p&role=arn:aws:iam::1:role/r&ca=/ca.pem": {
			Bucket: "b", Prefix: "p", Region: "eu-1", Endpoint: "http://h:7070", PathStyle: true, Profile: "p", Role: "arn:aws:iam::1:role/r", CA: "/ca.pem",
		},
		"s3://b/p?endpoint=http://h:7070": {Bucket: "b", Prefix: "p", Endpoint: "http://h:7070"},
	} {
		got, err := ParseURL(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v, -want +got\n%s", text, err, diff)
		}
	}
	for text, want := range map[string]string{
		"gs://b": "expected s3://bucket/prefix", "s3://": "no bucket", "s3:///p": "no bucket", "s3://b/a//c": `a part between slashes is ""`,
		"s3://b?regoin=x": "regoin: no such option, there is region, endpoint", "s3://b?path_style=maybe": "path_style=maybe: expected true or false",
	} {
		if _, err := ParseURL(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
