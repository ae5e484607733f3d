package emulator_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/enginetest/corpus"
	"github.com/millrace-io/millrace/pipelines/pinterest/emulator"
)

func pins(n int64) []emulator.Pin {
	all := make([]emulator.Pin, n)
	for i := range n {
		all[i] = emulator.PinAt(1, i)
	}
	return all
}

// gapsOf names what a pin lacks.
func gapsOf(p emulator.Pin) string {
	var gaps []string
	for _, g := range []struct{ name, value, placeholder string }{
		{"title", p.Title, "No Title Data Available"},
		{"description", p.Description, "No description available"}, {"story", p.Description, "No description available Story format"},
		{"poster", p.PosterName, "User Info Error"}, {"followers", p.FollowerCount, "User Info Error"},
		{"tags", p.TagList, "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e"}, {"image", p.ImageSrc, "Image src error."},
	} {
		if g.value == g.placeholder {
			gaps = append(gaps, g.name)
		}
	}
	return strings.Join(gaps, " ")
}

// shares are those of 877 real pins.
var shares = map[string]float64{
	"": 792, "story": 42, "story image": 13, "title story poster followers tags image": 10, "description": 16, "tags": 4,
}

func TestGaps(t *testing.T) {
	const n = 20_000
	counts := map[string]int{}
	for _, p := range pins(n) {
		gaps := gapsOf(p)
		counts[gaps]++
		story := p.IsImageOrVideo == "multi-video(story page format)"
		if story != strings.Contains(gaps, "story") || (p.Downloaded == 0) != strings.Contains(gaps, "image") {
			t.Fatalf("downloaded %d, %s, lacks %q", p.Downloaded, p.IsImageOrVideo, gaps)
		}
		if p.SaveLocation != "Local save in /data/"+p.Category {
			t.Fatalf("%s in %s", p.Category, p.SaveLocation)
		}
	}
	if len(counts) != len(shares) {
		t.Errorf("combinations: %v", counts)
	}
	for gaps, share := range shares {
		within(t, fmt.Sprintf("%q", gaps), counts[gaps], n, share/877, 0.005)
	}
}

// The lengths, in characters, and the shares of the real texts, as far as they say what a pin costs.
func TestMeans(t *testing.T) {
	const n = 5000
	measure(t, pins(n))
}

func TestRealPinsHaveTheMeans(t *testing.T) {
	var all []emulator.Pin
	rows := json.NewDecoder(corpus.Open(t, "pinterest", "pin.ndjson"))
	for rows.More() {
		var p emulator.Pin
		if err := rows.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	measure(t, all)
}

func measure(t *testing.T, pins []emulator.Pin) {
	var title, description, poster, tags, size, cut, unicode, categories int
	share := map[string]int{}
	for _, p := range pins {
		title += utf8.RuneCountInString(p.Title)
		description += utf8.RuneCountInString(p.Description)
		poster += utf8.RuneCountInString(p.PosterName)
		tags += utf8.RuneCountInString(p.TagList)
		size += len(p.AppendSpaced(nil))
		share[p.Category]++
		if strings.HasSuffix(p.Description, "…\u00a0") {
			cut++
		}
		if len(p.Title) != utf8.RuneCountInString(p.Title) {
			unicode++
		}
	}
	categories = len(share)
	for _, m := range []struct {
		what      string
		sum       int
		low, high float64
	}{
		{"title", title, 45, 55}, {"description", description, 115, 135}, {"poster name", poster, 19, 25}, {"tags", tags, 140, 165},
		{"bytes", size, 715, 745}, {"cut descriptions", cut, 0.3, 0.4}, {"titles that are not ASCII", unicode, 0.05, 0.15},
	} {
		if mean := float64(m.sum) / float64(len(pins)); mean < m.low || mean > m.high {
			t.Errorf("%s: %.2f a pin, want %.2f to %.2f", m.what, mean, m.low, m.high)
		}
	}
	if categories != 13 {
		t.Errorf("%d categories", categories)
	}
	for category, n := range share {
		within(t, category, n, len(pins), 1.0/13, 0.03)
	}
}

func TestPinsDiffer(t *testing.T) {
	ids, texts := map[string]bool{}, map[string]bool{}
	const n = 5000
	for _, p := range pins(n) {
		ids[p.UniqueID] = true
		texts[p.Title+p.Description+p.TagList] = true
	}
	if len(ids) != n || len(texts) < n*98/100 {
		t.Errorf("of %d pins: %d ids, %d texts", n, len(ids), len(texts))
	}
}

func TestJSONGivesThePinBack(t *testing.T) {
	all := pins(2000)
	all = append(all, emulator.Pin{Title: "\"quotes\", back\\slash, tab\t, line\nand \x01 \u2028 😍"})
	for _, p := range all {
		for _, line := range [][]byte{p.AppendJSON(nil), p.AppendSpaced([]byte(" "))} {
			var got emulator.Pin
			if err := json.Unmarshal(line, &got); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			if diff := cmp.Diff(p, got); diff != "" {
				t.Fatalf("(-pin +read):\n%s", diff)
			}
		}
	}
}

func TestUUID(t *testing.T) {
	if got, want := string(emulator.AppendUUID(nil, 0, 0)), "00000000-0000-4000-8000-000000000000"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := string(emulator.AppendUUID(nil, ^uint64(0), 0x0123456789abcdef)), "ffffffff-ffff-4fff-8123-456789abcdef"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
