package main

import (
	"encoding/json"

	"github.com/millrace-io/millrace/bench/pins"
)

// referenceRecords is how many records the reference decodes: some tenths of a second of work.
const referenceRecords = 40_000

// reference is what a fixed piece of work costs on this machine at this moment: the CPU time, in µs a record,
// that the standard library takes to decode records of the workload into structs. Machines whose processors
// are shared change their speed by tens of percent from minute to minute; the ratio of a run to its reference
// changes much less.
func (o *benchOptions) reference() (float64, error) {
	w := o.workload
	w.Records = referenceRecords
	var records [][]byte
	_, err := pins.Generate(w, func(_ int, _, value []byte) error {
		records = append(records, append([]byte{}, value...))
		return nil
	})
	if err != nil {
		return 0, err
	}
	before, _ := usage()
	for _, r := range records {
		var pin struct {
			Index     int64   `json:"index"`
			UniqueID  string  `json:"unique_id"`
			Title     *string `json:"title"`
			Text      *string `json:"description"`
			Poster    *string `json:"poster_name"`
			Followers *string `json:"follower_count"`
			Tags      *string `json:"tag_list"`
			Kind      *string `json:"is_image_or_video"`
			Image     *string `json:"image_src"`
			Place     *string `json:"save_location"`
			Category  *string `json:"category"`
		}
		if err := json.Unmarshal(r, &pin); err != nil {
			return 0, err
		}
	}
	after, _ := usage()
	return (after - before).Seconds() / referenceRecords * 1e6, nil
}
