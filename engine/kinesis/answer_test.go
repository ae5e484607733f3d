package kinesis

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// told is an answer as text.
func (a *answer) String() string {
	var b strings.Builder
	for _, r := range a.records {
		data := r.data
		if r.base64 {
			data, _ = base64.StdEncoding.DecodeString(string(data))
		}
		fmt.Fprintf(&b, "%s %d %q %q; ", r.seq, r.at, r.key, data)
	}
	fmt.Fprintf(&b, "next %q, after %q, behind %v %v", a.next, a.after, a.behind, a.told)
	return b.String()
}

func TestReadJSON(t *testing.T) {
	for body, want := range map[string]string{
		`{"Records":[],"NextShardIterator":"AAA","MillisBehindLatest":0}`: `next "AAA", after "", behind 0s true`,
		` { "MillisBehindLatest" : 1500 , "Records" : [ { "Data" : "aGk=" , "SequenceNumber" : "12", "PartitionKey":"k","ApproximateArrivalTimestamp":1.441215410867E9,"EncryptionType":"KMS"},
		   {"PartitionKey":"a\"\u00e9\\","ApproximateArrivalTimestamp":1700000000.5,"Data":"","SequenceNumber":"13"} ] , "NextShardIterator" : null , "ChildShards":[{"ShardId":"x","ParentShards":["a","b"],"HashKeyRange":{"StartingHashKey":"0"}}]} `: `12 1441215410867 "k" "hi"; 13 1700000000500 "a\"é\\" ""; next "", after "", behind 1.5s true`,
		`{"Records":[{"Data":"aGk\/","SequenceNumber":"1","ApproximateArrivalTimestamp":1700000001}],"ContinuationSequenceNumber":"7","New":[1,-2.5e3,true,false,null,{"a":[]}]}`: `1 1700000001000 "" "hi?"; next "", after "7", behind 0s false`,
	} {
		a := answer{body: []byte(body)}
		if err := a.readJSON(); err != nil || a.String() != want {
			t.Errorf("%s\nwas read as %s, %v\nwant %s", body, &a, err, want)
		}
	}
}

// TestReadJSONDamaged: an answer that is cut short anywhere, or can't be right, is no answer.
func TestReadJSONDamaged(t *testing.T) {
	const good = `{"Records":[{"Data":"aGk=","SequenceNumber":"12","PartitionKey":"k"},{"Data":"aGk=","SequenceNumber":"13","PartitionKey":"k"}],"NextShardIterator":"AAA"}`
	bad := []string{
		"", "{}", "null", "[]", `{"Records":null}`, `{"Records":[{"Data":"aGk="}]}`, `{"Records":[{"SequenceNumber":"1"}]}`,
		`{"Records":[{"Data":"","SequenceNumber":"x"}]}`, `{"Records":[{"Data":"","SequenceNumber":""}]}`,
		`{"Records":[],"a":` + strings.Repeat("[", 1<<20), strings.ReplaceAll(good, ":", ""), strings.ReplaceAll(good, ",", ""), good + "}",
		strings.Replace(good, "12", "13", 1), strings.Replace(good, "12", "14", 1), `{"Records":[],"MillisBehindLatest":x}`, `{"Records":[],"MillisBehindLatest":1.2.3}`,
	}
	for i := range good {
		bad = append(bad, good[:i])
	}
	for _, body := range bad {
		a := answer{body: []byte(body)}
		if err := a.readJSON(); !isDamaged(err) {
			t.Errorf("%.200s\nwas read as %s, %v", body, &a, err)
		}
	}
}

// cborAnswer is an answer in CBOR with two records.
func cborAnswer(first, second string) []byte {
	b := appendCBORText([]byte{0xbf}, "MillisBehindLatest") // of a length that is not said
	b = appendCBOR(b, cborUint, 70_000)
	b = appendCBORText(b, "Records")
	b = appendCBOR(b, cborArray, 2)
	for i, n := range []string{first, second} {
		b = appendCBOR(b, cborMap, 5)
		b = appendCBORText(appendCBORText(b, "SequenceNumber"), n)
		b = append(appendCBOR(appendCBORText(b, "Data"), cborBytes, 3), 0, '"', 0xff)
		b = appendCBORText(appendCBORText(b, "PartitionKey"), strings.Repeat("k", 30*i))
		b = appendCBOR(appendCBOR(appendCBORText(b, "ApproximateArrivalTimestamp"), cborTag, 1), cborUint, 1_700_000_000_123)
		b = append(appendCBORText(b, "EncryptionType"), cborNull)
	}
	b = appendCBORText(appendCBORText(b, "NextShardIterator"), strings.Repeat("A", 300))
	return append(b, cborBreak)
}

func TestReadCBOR(t *testing.T) {
	a := answer{body: cborAnswer("12", "13")}
	want := `12 1700000000123 "" "\x00\"\xff"; 13 1700000000123 "` + strings.Repeat("k", 30) + `" "\x00\"\xff"; next "` + strings.Repeat("A", 300) + `", after "", behind 1m10s true`
	if err := a.readCBOR(); err != nil || a.String() != want {
		t.Errorf("was read as %s, %v\nwant %s", &a, err, want)
	}
	text := answer{body: bytes.Replace(cborAnswer("1", "2"), []byte{cborBytes<<5 | 3, 0, '"', 0xff}, append([]byte{cborText<<5 | 4}, "aGk="...), 1)}
	if err := text.readCBOR(); err != nil || !strings.HasPrefix(text.String(), `1 1700000000123 "" "hi"; 2 `) {
		t.Errorf("data as a text was read as %s, %v", &text, err)
	}
	bad := [][]byte{cborAnswer("13", "12"), cborAnswer("12", "12"), cborAnswer("x", "12"), {0xa0}, {cborNull}, append(cborAnswer("1", "2"), 0)}
	for i := range a.body {
		bad = append(bad, a.body[:i])
	}
	for _, body := range bad {
		a := answer{body: body}
		if err := a.readCBOR(); !isDamaged(err) {
			t.Errorf("%x\nwas read as %s, %v", body, &a, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"Records":[{"Data":"aGk=","SequenceNumber":"12","PartitionKey":"k","ApproximateArrivalTimestamp":1.5}],"NextShardIterator":"AAA"}`))
	f.Add(cborAnswer("1", "2"))
	f.Fuzz(func(_ *testing.T, body []byte) {
		a := answer{body: body}
		_ = a.readJSON()
		a = answer{body: body}
		_ = a.readCBOR()
	})
}

func TestMillis(t *testing.T) {
	for text, want := range map[string]int64{
		"1.441215410867E9": 1441215410867, "1441215410.867": 1441215410867, "1441215410": 1441215410000, "1.5e-1": 150, "0": 0, "-1.5": -1500,
		"1700000000.1239": 1700000000123, "17000000001239E-4": 1700000000123, "1700000000.123000000000000000000": 1700000000123,
	} {
		s := scanner{b: []byte(text)}
		if got := s.millis(); got != want || s.bad {
			t.Errorf("%s is %d ms, want %d", text, got, want)
		}
	}
}
