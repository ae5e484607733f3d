package s3

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// ParseURL reads a place in a bucket as people write it: s3://bucket/prefix, and behind a question mark what a
// Config says besides, such as s3://bucket/prefix?endpoint=http://localhost:7070&path_style=true. The keys are
// those of Options.
func ParseURL(text string) (Config, error) {
	rest, ok := strings.CutPrefix(text, "s3://")
	if !ok {
		return Config{}, fmt.Errorf("%s: expected s3://bucket/prefix", text)
	}
	rest, query, _ := strings.Cut(rest, "?")
	var c Config
	c.Bucket, c.Prefix, _ = strings.Cut(rest, "/")
	c.Prefix = strings.TrimSuffix(c.Prefix, "/")
	values, err := url.ParseQuery(query)
	if err != nil {
		return c, fmt.Errorf("%s: %w", text, err)
	}
	var errs []error
	for key := range values {
		if err := c.set(key, values.Get(key)); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(append(errs, c.Validate())...); err != nil {
		return c, fmt.Errorf("%s: %w", text, err)
	}
	return c, nil
}

// Options are the keys that a URL takes behind its question mark.
func Options() []string { return []string{"region", "endpoint", "path_style", "profile", "role", "ca"} }

func (c *Config) set(key, value string) (err error) {
	switch key {
	case "region":
		c.Region = value
	case "endpoint":
		c.Endpoint = value
	case "path_style":
		if c.PathStyle, err = strconv.ParseBool(value); err != nil {
			return fmt.Errorf("path_style=%s: expected true or false", value)
		}
	case "profile":
		c.Profile = value
	case "role":
		c.Role = value
	case "ca":
		c.CA = value
	default:
		return fmt.Errorf("%s: no such option, there is %s", key, strings.Join(Options(), ", "))
	}
	return nil
}
