package kafka

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The versions of Metadata that are asked for: one that every broker from 2.1.0 on understands, and the first that
// tells a topic's id, which brokers do from 2.8 on (KIP-516).
const (
	oldMetadata = 7
	newMetadata = 10
)

// metadata asks who leads the topic's partitions, and what its id is if the broker can tell.
func (k *conn) metadata(topic string) (*kmsg.MetadataResponse, error) {
	version := int16(oldMetadata)
	tells, err := k.understands(kmsg.Metadata, newMetadata)
	if err != nil {
		return nil, err
	}
	if tells {
		version = newMetadata
	}
	req := &kmsg.MetadataRequest{Version: version, Topics: []kmsg.MetadataRequestTopic{{Topic: &topic}}}
	var resp kmsg.MetadataResponse
	if err := k.ask(req, &resp, askTimeout, alloc); err != nil {
		return nil, err
	}
	return &resp, nil
}

// understands asks whether the broker knows a version of a request. One that does not say so does not.
func (k *conn) understands(key kmsg.Key, version int16) (bool, error) {
	var resp kmsg.ApiVersionsResponse
	if err := k.ask(&kmsg.ApiVersionsRequest{Version: 0}, &resp, askTimeout, alloc); err != nil {
		return false, fmt.Errorf("ask what it understands: %w", err)
	}
	return slices.ContainsFunc(resp.ApiKeys, func(r kmsg.ApiVersionsResponseApiKey) bool {
		return r.ApiKey == int16(key) && r.MinVersion <= version && version <= r.MaxVersion
	}), nil
}

// afterTags is what follows the tagged fields that body begins with (KIP-482): how many there are, and of each its
// number, its size and so many bytes. All numbers are varints. ok is false if body ends before.
func afterTags(body []byte) (rest []byte, ok bool) {
	next := func() uint64 {
		v, n := binary.Uvarint(body)
		if ok = ok && n > 0; !ok {
			return 0
		}
		body = body[n:]
		return v
	}
	ok = true
	for left := next(); ok && left > 0; left-- {
		next()
		size := next()
		if ok = ok && size <= uint64(len(body)); ok {
			body = body[size:]
		}
	}
	return body, ok
}
