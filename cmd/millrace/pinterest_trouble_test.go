package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A dirty is a record of the shipped definition: a sound one with one field in another way, and what has to
// become of it.
type dirty struct {
	topic string // pin, geo or user
	field string // "": in is the whole record
	in    string // the field's value as JSON; "": the record is without it
	out   string // column and value of the row as JSON, `"title":null`; or "REASON COLUMN: a part of the detail"
}

// sound is the fields of a sound record, in order, but for its key, and the row that it makes.
var sound = map[string]struct {
	key    string
	fields [][2]string
	row    string
}{
	"pin": {
		"index",
		[][2]string{
			{"unique_id", `"fbe53c66"`}, {"title", `"A mill"`}, {"description", `"By the water"`}, {"poster_name", `"Ada"`}, {"follower_count", `"437"`},
			{"tag_list", `"mill,water"`}, {"is_image_or_video", `"image"`}, {"image_src", `"https://i/1.jpg"`}, {"downloaded", `1`},
			{"save_location", `"Local save in /data/art"`}, {"category", `"art"`},
		},
		`{"ind":%d,"unique_id":"fbe53c66","title":"A mill","description":"By the water","follower_count":437,"poster_name":"Ada",` +
			`"tag_list":"mill,water","is_image_or_video":"image","image_src":"https://i/1.jpg","save_location":"/data/art","category":"art"}`,
	},
	"geo": {
		"ind",
		[][2]string{{"timestamp", `"2020-08-28T03:52:47"`}, {"latitude", `-89.9787`}, {"longitude", `-173.293`}, {"country", `"Albania"`}},
		`{"ind":%d,"country":"Albania","coordinates":[-89.9787,-173.293],"timestamp":"2020-08-28T03:52:47.000000Z"}`,
	},
	"user": {
		"ind",
		[][2]string{{"first_name", `"Abigail"`}, {"last_name", `"Ali"`}, {"age", `20`}, {"date_joined", `"2015-10-24T11:23:51"`}},
		`{"ind":%d,"user_name":"Abigail Ali","age":20,"date_joined":"2015-10-24T11:23:51.000000Z"}`,
	},
}

// dirt is a line for each kind of dirt that the shipped definition has a rule for, and that it has none for.
var dirt = []dirty{
	// What stands for nothing.
	{"pin", "title", `"No Title Data Available"`, `"title":null`},
	{"pin", "description", `"No description available Story format"`, `"description":null`},
	{"pin", "description", `"No description available"`, `"description":null`},
	{"pin", "poster_name", `"User Info Error"`, `"poster_name":null`},
	{"pin", "follower_count", `"User Info Error"`, `"follower_count":null`},
	{"pin", "tag_list", `"N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e"`, `"tag_list":null`},
	{"pin", "image_src", `"Image src error."`, `"image_src":null`},
	{"pin", "image_src", `"Image src error"`, `"image_src":null`},

	// The same words elsewhere are words, and so are some that look like nothing.
	{"pin", "title", `"Untitled"`, `"title":"Untitled"`},
	{"pin", "description", `"Untitled"`, `"description":"Untitled"`},
	{"pin", "description", `"Art."`, `"description":"Art."`},
	{"pin", "title", `"Image src error."`, `"title":"Image src error."`},
	{"pin", "title", `"No Title Data Available."`, `"title":"No Title Data Available."`},
	{"pin", "title", `"User Info Error"`, `"title":"User Info Error"`},
	{"pin", "poster_name", `" Mujer de 10 "`, `"poster_name":" Mujer de 10 "`},

	// Empty texts, nulls and fields that are not there.
	{"pin", "unique_id", `""`, `"unique_id":null`},
	{"pin", "title", `""`, `"title":null`},
	{"pin", "description", `""`, `"description":null`},
	{"pin", "poster_name", `""`, `"poster_name":null`},
	{"pin", "follower_count", `""`, `"follower_count":null`},
	{"pin", "tag_list", `""`, `"tag_list":null`},
	{"pin", "is_image_or_video", `""`, `"is_image_or_video":null`},
	{"pin", "image_src", `""`, `"image_src":null`},
	{"pin", "save_location", `""`, `"save_location":null`},
	{"pin", "category", `""`, `"category":null`},
	{"geo", "country", `""`, `"country":null`},
	{"geo", "timestamp", `""`, `"timestamp":null`},
	{"user", "date_joined", `""`, `"date_joined":null`},
	{"user", "first_name", `""`, `"user_name":"Ali"`},
	{"user", "last_name", `""`, `"user_name":"Abigail"`},
	{"pin", "title", `null`, `"title":null`},
	{"pin", "title", ``, `"title":null`},
	{"geo", "latitude", `null`, `"coordinates":[null,-173.293]`},
	{"user", "age", ``, `"age":null`},

	// Numbers of followers.
	{"pin", "follower_count", `"0"`, `"follower_count":0`},
	{"pin", "follower_count", `"136k"`, `"follower_count":136000`},
	{"pin", "follower_count", `"1.5k"`, `"follower_count":1500`},
	{"pin", "follower_count", `"8M"`, `"follower_count":8000000`},
	{"pin", "follower_count", `"1.25M"`, `"follower_count":1250000`},
	{"pin", "follower_count", `"2B"`, `"follower_count":2000000000`},
	{"pin", "follower_count", `12345`, `"follower_count":12345`},
	{"pin", "follower_count", `"10 thousand"`, `parse follower_count: found "10 thousand"`},
	{"pin", "follower_count", `"1.5"`, `parse follower_count: expected a whole number`},
	{"pin", "follower_count", `"1.2345k"`, `parse follower_count: expected a whole number`},
	{"pin", "follower_count", `"10000000000B"`, `parse follower_count: expected a whole number`},
	{"pin", "follower_count", `"5,000"`, `parse follower_count: expected a whole number`},

	// Places.
	{"pin", "save_location", `"/data/art"`, `"save_location":"/data/art"`},
	{"pin", "save_location", `"Local save in /data/home-decor"`, `"save_location":"/data/home-decor"`},

	// Times, in the three formats there are and others.
	{"geo", "timestamp", `"2020-08-28 03:52:47"`, `"timestamp":"2020-08-28T03:52:47.000000Z"`},
	{"geo", "timestamp", `"2020:08:28 03:52:47"`, `"timestamp":"2020-08-28T03:52:47.000000Z"`},
	{"user", "date_joined", `"2015-10-24 11:23:51"`, `"date_joined":"2015-10-24T11:23:51.000000Z"`},
	{"user", "date_joined", `"2015:10:24 11:23:51"`, `"date_joined":"2015-10-24T11:23:51.000000Z"`},
	{"geo", "timestamp", `"28.8.2020"`, `parse timestamp: found "28.8.2020"`},
	{"geo", "timestamp", `"2020-02-30T00:00:00"`, `parse timestamp: found "2020-02-30T00:00:00"`},
	{"user", "date_joined", `"yesterday"`, `parse date_joined: found "yesterday"`},
	{"user", "date_joined", `1445685831`, `parse date_joined: found "1445685831"`},

	// Numbers that do not fit, and values of other kinds.
	{"user", "age", `2147483648`, `type age: expected a whole number of 32 bits`},
	{"user", "age", `20.5`, `type age: expected a whole number of 32 bits`},
	{"user", "age", `"twenty"`, `type age: found the string "twenty"`},
	{"user", "age", `"20"`, `"age":20`},
	{"user", "age", `2e1`, `"age":20`},
	{"geo", "latitude", `1e309`, `type latitude: expected a number in the range of double`},
	{"geo", "latitude", `"north"`, `type latitude: found the string "north"`},
	{"pin", "title", `["A mill"]`, `type title: found an array, expected a string`},
	{"pin", "title", `{"en":"A mill"}`, `type title: found an object, expected a string`},
	{"pin", "title", `true`, `type title: found "true", expected a string`},
	{"pin", "title", `17`, `"title":"17"`},

	// Texts as JSON has them, and as it has them not.
	{"pin", "title", `"\u0041 \"mill\"\n\ud83d\ude00"`, `"title":"A \"mill\"\n😀"`},
	{"pin", "title", `"\ud83d alone"`, `"title":"� alone"`},
	{"pin", "title", "\"caf\xe9\"", `decode title: found the byte 0xe9, expected UTF-8`},
	{"pin", "title", "\"a\x01b\"", `decode title: expected a control character to be escaped`},
	{"pin", "title", `"\x41"`, `decode title: expected an escape`},
	{"pin", "downloaded", "\"\xff\"", `decode : expected UTF-8`},
	{"pin", "downloaded", `{"by": [{"me": 1}]}`, `"title":"A mill"`},
	{"pin", "title", `"first","title":"last"`, `"title":"last"`},
	{"pin", "title", `"first","title":null`, `"title":null`},

	// Records that are none.
	{"pin", "", ``, `decode : found the end of the record`},
	{"pin", "", `[object Object]`, `decode : found an array, expected an object`},
	{"pin", "", `{'index':1}`, `decode : found "'", expected a key`},
	{"geo", "", `{"ind":1,"country":"Alb`, `decode country: found the end of the record`},
	{"user", "", `<html>502 Bad Gateway</html>`, `decode : expected an object`},
	{"pin", "", "\ufeff{}", `decode : expected an object`},
	{"geo", "", `{"ind":1}{"ind":2}`, `decode : expected the end of the record`},

	// Keys.
	{"geo", "", `{"country":"Albania"}`, `required ind: null or missing`},
	{"geo", "", `{"ind":null}`, `required ind: null or missing`},
	{"geo", "", `{"ind":9223372036854775808}`, `type ind: expected a whole number of 64 bits`},
	{"pin", "", `{"index":1.5}`, `type index: expected a whole number of 64 bits`},
	// A pin on the topic of users, which is wrong there though it is sound.
	{"user", "", `{"index":7528,"unique_id":"fbe53c66","title":"A mill"}`, `required ind: null or missing`},
}

// record is the value of a dirty record whose key is ind.
func (d dirty) record(ind int) string {
	if d.field == "" {
		return d.in
	}
	s := sound[d.topic]
	parts := []string{fmt.Sprintf("%q:%d", s.key, ind)}
	for _, f := range s.fields {
		value := f[1]
		if f[0] == d.field {
			value = d.in
		}
		if value != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", f[0], value))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// row is the row that has to come of the record: the sound one but for the column that out names.
func (d dirty) row(ind int) map[string]any {
	row := map[string]any{}
	for _, text := range []string{fmt.Sprintf(sound[d.topic].row, ind), "{" + d.out + "}"} {
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			panic(fmt.Sprintf("%s: %v", text, err))
		}
	}
	return row
}

// A refusal is a row of the quarantine table, as far as the tests look.
type refusal struct {
	Source, Partition, Position, Reason, Detail string
	Stream, Column                              *string
	Bytes                                       []byte
}

// TestShippedDefinition has a record of each kind of dirt go through the shipped definition, all at once,
// and looks for each in its table or in the quarantine.
func TestShippedDefinition(t *testing.T) {
	b, err := startBroker("", demoTopics())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	var records []*kgo.Record
	next := map[string]int64{}
	place := make([]int64, len(dirt))
	for i, d := range dirt {
		place[i] = next[d.topic]
		next[d.topic]++
		records = append(records, &kgo.Record{Topic: demoTopic(d.topic), Value: []byte(d.record(i))})
	}
	lake := runPinterest(t, b, records)
	rows := map[string]map[int]map[string]any{"pin": {}, "geo": {}, "user": {}}
	for topic, byKey := range rows {
		readTable(t, filepath.Join(lake, demoUser+"_"+topic+"_table"), func(line []byte) error {
			row := map[string]any{}
			err := json.Unmarshal(line, &row)
			ind, ok := row["ind"].(float64)
			if err == nil && !ok {
				err = errors.New("a row without a key")
			}
			byKey[int(ind)] = row
			return err
		})
	}
	refused := readQuarantine(t, lake)
	for i, d := range dirt {
		source := map[string]string{"pin": "pins", "geo": "geo", "user": "users"}[d.topic]
		r, isRefused := refused[fmt.Sprintf("%s/0/%d", source, place[i])]
		got, isRow := rows[d.topic][i]
		switch {
		case isRefused == isRow:
			t.Errorf("%s: in the table: %v, in quarantine: %v", d.record(i), isRow, isRefused)
		case isRefused:
			d.checkRefusal(t, i, r)
		default:
			if want := d.row(i); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s:\n got %v\nwant %v", d.record(i), got, want)
			}
		}
	}
}

// checkRefusal compares a row of the quarantine table with what was expected of the record.
func (d dirty) checkRefusal(t *testing.T, ind int, r refusal) {
	t.Helper()
	blame, detail, ok := strings.Cut(d.out, ": ")
	col := ""
	if r.Column != nil {
		col = *r.Column
	}
	if !ok || r.Reason+" "+col != blame || !strings.Contains(r.Detail, detail) {
		t.Errorf("%s: refused for %s of %q: %s; want %s", d.record(ind), r.Reason, col, r.Detail, d.out)
	}
	// A record that gave no row is kept as it came, a row that a step refused as JSON.
	if r.Stream == nil && string(r.Bytes) != d.record(ind) {
		t.Errorf("%s: kept as %q", d.record(ind), r.Bytes)
	}
	if r.Stream != nil && !strings.Contains(string(r.Bytes), fmt.Sprintf(`":%d,`, ind)) {
		t.Errorf("%s: kept as %q, without its key", d.record(ind), r.Bytes)
	}
}

// TestShippedReplays: a row is a duplicate of one with its key up to seven days before or after, by the time
// of the record; of a tombstone nothing comes.
func TestShippedReplays(t *testing.T) {
	b, err := startBroker("", demoTopics())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	const day = 24 * time.Hour
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	topics := map[string]struct{ key, field, column string }{
		"pin": {"index", "title", "title"}, "geo": {"ind", "country", "country"}, "user": {"ind", "first_name", "user_name"},
	}
	var records []*kgo.Record
	for topic, names := range topics {
		post := func(after time.Duration, text string) {
			r := &kgo.Record{Topic: demoTopic(topic), Timestamp: began.Add(after)}
			if text != "" {
				r.Value = fmt.Appendf(nil, `{%q:1,%q:%q}`, names.key, names.field, text)
			}
			records = append(records, r)
		}
		post(0, "first")
		post(0, "again")
		post(7*day, "a week later")
		post(7*day+time.Millisecond, "more than a week")
		post(0, "")
	}
	lake := runPinterest(t, b, records)
	for topic, names := range topics {
		var kept []string
		readTable(t, filepath.Join(lake, demoUser+"_"+topic+"_table"), func(line []byte) error {
			row := map[string]any{}
			err := json.Unmarshal(line, &row)
			kept = append(kept, fmt.Sprint(row[names.column]))
			return err
		})
		if got := strings.Join(kept, ", "); got != "first, more than a week" {
			t.Errorf("%s: kept %s; want first, more than a week", topic, got)
		}
	}
}

// runPinterest posts records and runs the shipped definition until it has them. Nothing may be unaccounted
// for.
func runPinterest(t *testing.T, b *broker, records []*kgo.Record) (lake string) {
	t.Helper()
	client, err := b.client()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	lake = filepath.Join(t.TempDir(), "lake")
	f := runShipped(t, b.address, lake)
	in := int64(0)
	for name, c := range f.results[0].Ledger {
		if c.In != c.Out+c.Filtered+c.Duplicate+c.Late+c.Quarantined {
			t.Errorf("the ledger of %s does not add up: %+v", name, c)
		}
		if _, isSource := f.pipelines[0].def.Sources[name]; isSource {
			in += c.In
		}
	}
	if in != int64(len(records)) {
		t.Errorf("the ledger has %d records, %d were posted", in, len(records))
	}
	return lake
}

// readTable gives each row of a table as table read --json prints it.
func readTable(t *testing.T, table string, row func(line []byte) error) {
	t.Helper()
	code, stdout, stderr := millrace(t.Context(), "table", "read", table, "--limit", "0", "--json")
	if code != exitDone {
		t.Fatalf("table read ended with %d: %s", code, stderr)
	}
	d := json.NewDecoder(strings.NewReader(stdout))
	for {
		var line json.RawMessage
		err := d.Decode(&line)
		if err == io.EOF {
			return
		}
		if err == nil {
			err = row(line)
		}
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
}

// readQuarantine gives the rows of the shipped definition's quarantine table by "source/partition/position".
func readQuarantine(t *testing.T, lake string) map[string]refusal {
	t.Helper()
	all := map[string]refusal{}
	readTable(t, filepath.Join(lake, demoUser+"_quarantine"), func(line []byte) error {
		var r refusal
		err := json.Unmarshal(line, &r)
		place := r.Source + "/" + r.Partition + "/" + r.Position
		if _, twice := all[place]; twice {
			err = fmt.Errorf("%s is in quarantine twice", place)
		}
		all[place] = r
		return err
	})
	return all
}
