package clean

import (
	"errors"

	"github.com/millrace-io/millrace/engine/spec"
)

// written is the rules of a column as a definition has them. Their order is the map's.
type written struct {
	NullIf        []string          `yaml:"null_if,scalar" doc:"Makes these texts null."`
	EmptyToNull   bool              `yaml:"empty_to_null" doc:"Makes the empty text null."`
	Trim          bool              `yaml:"trim" doc:"Takes white space, as Unicode has it, off both ends."`
	StripPrefix   string            `yaml:"strip_prefix" doc:"Takes a text off the beginning where it is there."`
	StripSuffix   string            `yaml:"strip_suffix" doc:"Takes a text off the end where it is there."`
	Replace       spec.Map[string]  `yaml:"replace" doc:"Replaces texts by others wherever they occur, one pair after the other."`
	ReplaceRegexp spec.Map[string]  `yaml:"replace_regexp" doc:"Replaces what regular expressions (RE2) match by texts, one pair after the other; $1 and ${name} are groups."`
	Map           spec.Map[*string] `yaml:"map" doc:"Replaces whole texts by others, or by null where nothing is given. Other texts stay."`
	Lower         bool              `yaml:"lower" doc:"Makes all letters small."`
	Upper         bool              `yaml:"upper" doc:"Makes all letters large."`
	Parse         Parse             `yaml:"parse" doc:"Makes values of texts: the column gets their type. timestamp and date may have formats, {timestamp: [iso, dd.MM.yyyy]}: the first that fits counts. The last rule of a column."`
	OnError       onError           `yaml:"on_error" doc:"What becomes of a text that can't be parsed: its row goes to quarantine, or the value becomes null. Default: quarantine."`
}

// UnmarshalNode reads a map of columns to their rules.
func (c *Config) UnmarshalNode(n spec.Node) error {
	if n.Kind() != spec.Mapping {
		return n.Errorf("expected a map of columns to rules, such as title: {trim: true}, found %s", n.Kind())
	}
	var errs spec.Errors
	for _, p := range n.Pairs() {
		col := Column{Name: p.Key.Text()}
		errs = gather(errs, col.decode(p.Value))
		c.Columns = append(c.Columns, col)
	}
	if errs != nil {
		return errs
	}
	return nil
}

func (c *Column) decode(n spec.Node) error {
	maps := []spec.Node{n}
	if c.list = n.Kind() == spec.List; c.list {
		maps = n.Items()
	}
	var errs spec.Errors
	for _, m := range maps {
		if m.Kind() != spec.Mapping {
			errs = gather(errs, m.Errorf("expected rules, such as {trim: true}, found %s", m.Kind()))
			continue
		}
		var w written
		errs = gather(errs, m.Decode(&w))
		for _, p := range m.Pairs() {
			if r := w.rule(p.Key.Text()); r != nil {
				c.Rules = append(c.Rules, r)
			}
		}
		if w.OnError != "" {
			c.OnError = string(w.OnError)
		}
		if c.list && len(m.Pairs()) != 1 {
			errs = gather(errs, m.Errorf("expected one rule an item of a list, found %d", len(m.Pairs())))
		}
	}
	if errs != nil {
		return errs
	}
	return nil
}

// rule is the rule under a key, or nil where it is turned off or no rule.
func (w *written) rule(key string) Rule {
	flag := func(on bool, r Rule) Rule {
		if on {
			return r
		}
		return nil
	}
	switch key {
	case "null_if":
		return NullIf(w.NullIf)
	case "empty_to_null":
		return flag(w.EmptyToNull, EmptyToNull{})
	case "trim":
		return flag(w.Trim, Trim{})
	case "strip_prefix":
		return StripPrefix(w.StripPrefix)
	case "strip_suffix":
		return StripSuffix(w.StripSuffix)
	case "replace":
		return Replace(pairs(w.Replace))
	case "replace_regexp":
		return ReplaceRegexp(pairs(w.ReplaceRegexp))
	case "map":
		return mappings(w.Map)
	case "lower":
		return flag(w.Lower, Lower{})
	case "upper":
		return flag(w.Upper, Upper{})
	case "parse":
		return w.Parse
	}
	return nil
}

func pairs(m spec.Map[string]) []Pair {
	var all []Pair
	for _, e := range m {
		all = append(all, Pair{e.Key, e.Value})
	}
	return all
}

func mappings(m spec.Map[*string]) Map {
	var all Map
	for _, e := range m {
		all = append(all, Mapping{e.Key, e.Value})
	}
	return all
}

// gather adds what err holds to errs.
func gather(errs spec.Errors, err error) spec.Errors {
	var all spec.Errors
	var one *spec.Error
	switch {
	case errors.As(err, &all):
		return append(errs, all...)
	case errors.As(err, &one):
		return append(errs, one)
	}
	return errs
}

// JSONSchema describes what UnmarshalNode takes.
func (Config) JSONSchema() map[string]any {
	rules := spec.SchemaOf(written{})
	return map[string]any{
		"type":        "object",
		"description": "Columns with their rules, which run in the order written, those of \"*\" (every text column) before. A list lets a rule come twice.",
		"additionalProperties": map[string]any{
			"anyOf": []any{rules, map[string]any{"type": "array", "items": rules}},
		},
	}
}

// onError is a text for which null may stand without quotes.
type onError string

// UnmarshalNode implements spec.Unmarshaler.
func (o *onError) UnmarshalNode(n spec.Node) error {
	if n.Kind() == spec.Null {
		*o = Null
		return nil
	}
	if *o = onError(n.Text()); *o != Quarantine && *o != Null {
		return n.Errorf("expected %s or %s, found %q", Quarantine, Null, n.Text())
	}
	return nil
}

// JSONSchema describes what UnmarshalNode takes.
func (onError) JSONSchema() map[string]any {
	return map[string]any{"enum": []any{Quarantine, Null, nil}, "default": Quarantine}
}

// UnmarshalNode reads what to parse as, or a map of that to formats.
func (p *Parse) UnmarshalNode(n spec.Node) error {
	if n.Kind() == spec.Scalar {
		p.As = As(n.Text())
		return nil
	}
	if n.Kind() != spec.Mapping || len(n.Pairs()) != 1 {
		return n.Errorf("expected one of %s, or formats such as {timestamp: [iso]}", alternatives())
	}
	pair := n.Pairs()[0]
	p.As = As(pair.Key.Text())
	if pair.Value.Kind() == spec.Scalar {
		p.Formats = []string{pair.Value.Text()}
		return nil
	}
	return pair.Value.Decode(&p.Formats)
}

// JSONSchema describes what UnmarshalNode takes.
func (Parse) JSONSchema() map[string]any {
	text := map[string]any{"type": "string"}
	formats := map[string]any{
		"anyOf":       []any{text, map[string]any{"type": "array", "items": text, "minItems": 1}},
		"description": "The first format that fits counts: iso, or a pattern such as yyyy:MM:dd HH:mm:ss.",
	}
	return map[string]any{"anyOf": []any{
		map[string]any{"enum": everyAs()},
		map[string]any{
			"type": "object", "properties": map[string]any{string(Timestamp): formats, string(Date): formats},
			"additionalProperties": false, "minProperties": 1, "maxProperties": 1,
		},
	}}
}
