package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/engine/monitor"
)

func newTail() *cobra.Command {
	var o tailOptions
	cmd := &cobra.Command{
		Use:   "tail SOURCE|STREAM|TABLE",
		Short: "Show rows as they pass, from a running process",
		Long: `tail attaches to a running millrace process and shows the rows of one of its sources, streams or
tables as they pass. It never slows the pipeline: rows it has no room for are dropped and counted.

The process is found by the address it keeps in its lake, which --from names, itself or by a definition, or
at the address given there; the default is where run listens by default.`,
		Example: `  millrace tail clean_pins
  millrace tail pin_table --where "follower_count > 1000000" --limit 10
  millrace tail clean_pins --from my.yaml --json
  millrace tail clean_pins --from ./lake`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return tail(ctx, o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.from, "from", defaultHTTP, "address of the process (host:port), or a lake or a definition whose lake names it")
	f.StringVar(&o.where, "where", "", "show only rows for which this SQL condition is true")
	f.Int64Var(&o.limit, "limit", 0, "end after this many rows (0: when stopped)")
	f.BoolVar(&o.json, "json", false, "one JSON object a row, which is the default where stdout is no terminal")
	return cmd
}

type tailOptions struct {
	name, from, where string
	limit             int64
	json              bool
}

func tail(ctx context.Context, o tailOptions, stdout, stderr io.Writer) error {
	addr, err := o.address()
	if err != nil {
		return showErrors(err, false, stdout, stderr)
	}
	q := url.Values{"name": {o.name}}
	if o.where != "" {
		q.Set("where", o.where)
	}
	if o.limit > 0 {
		q.Set("limit", fmt.Sprint(o.limit))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/tail?"+q.Encode(), nil)
	if err != nil {
		return usagef("%s: %w", addr, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no process answers at %s: %w; is one running, and with --http?", addr, errors.Unwrap(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
		return usagef("%s", strings.TrimSpace(string(body)))
	}
	show := newTailPrinter(stdout, o.json || !isTerminal(stdout))
	show.notes = stderr
	dropped, err := show.all(resp.Body)
	if dropped > 0 {
		fmt.Fprintf(stderr, "%s rows passed that were not shown: they came faster than they could be printed\n", count(dropped))
	}
	if ctx.Err() != nil {
		return nil // stopped by the one who watches
	}
	return err
}

// address is where the process listens.
func (o tailOptions) address() (string, error) {
	if info, err := os.Stat(o.from); err == nil && info.IsDir() {
		return addressIn(o.from)
	}
	if !isDefinition(o.from) {
		return o.from, nil
	}
	defs, err := loadAll([]string{o.from}, loadOptions{})
	if err != nil {
		return "", err
	}
	def := defs[0]
	addr, err := readAddress(def)
	if err != nil {
		return "", fmt.Errorf("pipeline %s is not running, or without --http: %w", def.Plan.Pipeline, err)
	}
	return addr, nil
}

// isDefinition says whether --from names a file and not an address.
func isDefinition(from string) bool {
	return strings.HasSuffix(from, ".yaml") || strings.HasSuffix(from, ".yml")
}

// A tailPrinter prints the lines of a feed.
type tailPrinter struct {
	w      io.Writer
	notes  io.Writer // what is no row
	json   bool
	names  []string
	widths []int
}

func newTailPrinter(w io.Writer, asJSON bool) *tailPrinter {
	return &tailPrinter{w: w, notes: io.Discard, json: asJSON}
}

const (
	tailCell  = 32      // characters a cell on a terminal
	tailBytes = 1 << 26 // bytes a line
)

// all prints lines until there are no more, and gives the number of rows that were dropped.
func (p *tailPrinter) all(r io.Reader) (dropped int64, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 1<<16), tailBytes)
	for lines.Scan() {
		var line monitor.Line
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return dropped, fmt.Errorf("what the process sent is no line of rows: %w", err)
		}
		dropped += line.Dropped
		if h := line.Waiting; h != nil {
			fmt.Fprintf(p.notes, "%s waits for partition %s of %s, which had no record for %.0f s: event time stands still there; idle_after would let it pass\n", h.Operator, h.Partition, h.Source, h.Silent)
		}
		switch {
		case line.Schema != nil:
			p.header(line.Schema)
		case line.Row != nil && p.json:
			fmt.Fprintf(p.w, "%s\n", line.Row)
		case line.Row != nil:
			if err := p.row(line.Row); err != nil {
				return dropped, err
			}
		}
	}
	return dropped, lines.Err()
}

func (p *tailPrinter) header(schema []monitor.Column) {
	for _, c := range schema {
		p.names = append(p.names, c.Name)
		p.widths = append(p.widths, max(len(c.Name), map[string]int{"string": tailCell / 2, "timestamp": 27}[c.Type]))
	}
	if !p.json {
		fmt.Fprintln(p.w, gridLine(p.names, p.widths, p.names, nil))
	}
}

// row prints cells under the header's columns; a wider cell widens its column from there on.
func (p *tailPrinter) row(row json.RawMessage) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(row, &values); err != nil {
		return fmt.Errorf("what the process sent is no row: %w", err)
	}
	cells := make([]string, len(p.names))
	for i, name := range p.names {
		cells[i] = cut(oneLine(plain(values[name])), tailCell)
		p.widths[i] = max(p.widths[i], len([]rune(cells[i])))
	}
	fmt.Fprintln(p.w, gridLine(cells, p.widths, p.names, nil))
	return nil
}

// plain shows a JSON value to people: texts without quotes, null as nothing.
func plain(v json.RawMessage) string {
	var s string
	switch {
	case len(v) == 0 || string(v) == "null":
		return ""
	case json.Unmarshal(v, &s) == nil:
		return s
	}
	return string(v)
}
