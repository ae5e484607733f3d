package kinesistest

import (
	"crypto/md5"

	"google.golang.org/protobuf/encoding/protowire"
)

// A User is a user record of an aggregated record.
type User struct {
	Key  string // partition key
	Hash string // explicit hash key; "": none
	Data []byte
}

// Aggregate makes the data of one record out of many user records, as the Kinesis Producer Library does.
func Aggregate(users ...User) []byte {
	keys, hashes := table{}, table{}
	var records []byte
	for _, u := range users {
		var r []byte
		r = protowire.AppendTag(r, 1, protowire.VarintType)
		r = protowire.AppendVarint(r, keys.index(u.Key))
		if u.Hash != "" {
			r = protowire.AppendTag(r, 2, protowire.VarintType)
			r = protowire.AppendVarint(r, hashes.index(u.Hash))
		}
		r = protowire.AppendTag(r, 3, protowire.BytesType)
		r = protowire.AppendBytes(r, u.Data)
		records = protowire.AppendTag(records, 3, protowire.BytesType)
		records = protowire.AppendBytes(records, r)
	}
	message := append(hashes.append(keys.append(nil, 1), 2), records...)
	sum := md5.Sum(message)
	return append(append([]byte("\xf3\x89\x9a\xc2"), message...), sum[:]...)
}

// A table numbers texts.
type table struct {
	texts []string
	at    map[string]uint64
}

func (t *table) index(text string) uint64 {
	if i, ok := t.at[text]; ok {
		return i
	}
	if t.at == nil {
		t.at = map[string]uint64{}
	}
	t.at[text] = uint64(len(t.texts))
	t.texts = append(t.texts, text)
	return t.at[text]
}

func (t *table) append(message []byte, field protowire.Number) []byte {
	for _, text := range t.texts {
		message = protowire.AppendTag(message, field, protowire.BytesType)
		message = protowire.AppendString(message, text)
	}
	return message
}
