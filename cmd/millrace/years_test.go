package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
)

// yearsDefinition counts posts by category and year, in two ways: in windows of a year that leave when time has passed
// them, and by an expression in a table that each commit replaces.
const yearsDefinition = `
pipeline: years
lake: %s
sources:
  posts:
    kafka: {brokers: "%s", topic: posts}
    format: json
    schema: {index: long!, category: string, timestamp: timestamp!}
    event_time: {column: timestamp, max_delay: 3650d}
streams:
  unique:
    from: posts
    steps:
      - dedupe: {by: index, within: 1d, order: event_time}
  by_year:
    from: unique
    steps:
      - window: {year: , by: category, aggregates: {posts: count()}}
      - derive: {year: year(window_start)}
      - select: {category:, year:, posts:}
  so_far:
    from: unique
    steps:
      - derive: {year: year(timestamp)}
      - window: {all: , by: [category, year], aggregates: {posts: count()}, emit: changes}
tables:
  years: {from: by_year}
  years_so_far: {from: so_far, mode: replace}
commit: {every: 0s, rows: 100}
`

// A realPost is a pin with the time at which it was posted, which is on another topic.
type realPost struct {
	Index     int64  `json:"index"`
	Category  string `json:"category"`
	Timestamp string `json:"timestamp"`
}

// realPosts is the pins that a real emulator posted, replays among them, with their times, as records over four partitions.
func realPosts(t *testing.T) (posts []realPost, records []*kgo.Record) {
	t.Helper()
	times := map[int64]string{}
	geo, _ := realRows(t, "geo")
	for _, r := range geo {
		var row struct {
			Ind       int64  `json:"ind"`
			Timestamp string `json:"timestamp"`
		}
		if err := json.Unmarshal(r.Value, &row); err != nil {
			t.Fatal(err)
		}
		times[row.Ind] = row.Timestamp
	}
	pins, _ := realRows(t, "pin")
	for i, r := range pins {
		var p realPost
		if err := json.Unmarshal(r.Value, &p); err != nil {
			t.Fatal(err)
		}
		p.Timestamp = times[p.Index]
		value, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		posts = append(posts, p)
		records = append(records, &kgo.Record{Topic: "posts", Partition: int32(i % 4), Value: value})
	}
	return posts, records
}

// TestPostsByCategoryAndYear counts the posts of a real emulator in windows, each once though some come several times in
// different partitions, and compares with a naive count.
func TestPostsByCategoryAndYear(t *testing.T) {
	posts, records := realPosts(t)
	want, seen := map[string]int64{}, map[int64]bool{}
	for _, p := range posts {
		if !seen[p.Index] {
			seen[p.Index] = true
			want[p.Category+" "+p.Timestamp[:len("2006")]]++
		}
	}
	b, err := startBroker("", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	newTopic(t, b.address, "posts", 4).produce(t, records...)
	lake, file := filepath.Join(t.TempDir(), "lake"), filepath.Join(t.TempDir(), "years.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, yearsDefinition, lake, b.address), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := millrace(t.Context(), "run", file, "--until-caught-up", "--final", "--http", ""); code != exitDone {
		t.Fatalf("run ended with %d: %s", code, stderr)
	}
	for _, table := range []string{"years", "years_so_far"} {
		got := map[string]int64{}
		readTable(t, filepath.Join(lake, table), func(line []byte) error {
			var row struct {
				Category string
				Year     int
				Posts    int64
			}
			err := json.Unmarshal(line, &row)
			got[fmt.Sprint(row.Category, " ", row.Year)] += row.Posts
			return err
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("table %s (-want +got):\n%s", table, diff)
		}
	}
}
