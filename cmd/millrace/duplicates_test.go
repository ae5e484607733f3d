package main

import (
	"testing"

	"github.com/millrace-io/millrace/engine/spec"
)

// TestDedupeOf: what a table says of duplicates is what the steps on the way of its rows make sure of, under the
// names that the columns have in the table.
func TestDedupeOf(t *testing.T) {
	for steps, want := range map[string]string{
		"- filter: id > 0":                                                                "",
		"- dedupe: {by: [id], within: 1h}":                                                `{"by":["id"],"at":"at","within_us":3600000000}`,
		"- dedupe: {by: [id], within: 1h}\n      - filter: id > 0":                        `{"by":["id"],"at":"at","within_us":3600000000}`,
		"- select: {key: id, when: at}\n      - dedupe: {by: [key], within: 1s}":          `{"by":["key"],"at":"when","within_us":1000000}`,
		"- dedupe: {by: [id, text], within: 1h}\n      - select: {a: text, b: id, c: at}": `{"by":["b","a"],"at":"c","within_us":3600000000}`,
		"- dedupe: {by: [id], within: 1h}\n      - select: [id]":                          `{"by":["id"],"within_us":3600000000}`,
		"- dedupe: {by: [id], within: 1h}\n      - select: [at]":                          "",
		"- dedupe: {by: [text], within: 1h}\n      - clean: {text: {trim: true}}":         "",
		"- dedupe: {by: [text], within: 1h}\n      - clean: {\"*\": {trim: true}}":        "",
		"- clean: {\"*\": {trim: true}}\n      - dedupe: {by: [text], within: 1h}":        `{"by":["text"],"at":"at","within_us":3600000000}`,
		"- dedupe: {by: [id], within: 1h}\n      - derive: {id: id % 10}":                 "",
		"- derive: {at: at}\n      - dedupe: {by: [id], within: 1h}":                      `{"by":["id"],"within_us":3600000000}`,
	} {
		def, err := spec.Load("d.yaml", []byte(`
pipeline: p
lake: ./lake
sources: {in: {kafka: {brokers: "localhost:1", topic: t}, format: json, schema: {id: long!, text: string, at: timestamp!}, event_time: {column: at}}}
streams:
  s:
    from: in
    steps:
      `+steps+`
tables: {t: {from: s}}
`), kinds(), spec.Options{})
		if err != nil {
			t.Errorf("%s: %v", steps, err)
			continue
		}
		if got := dedupeOf(def, def.Tables["t"]); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", steps, got, want)
		}
	}
}
