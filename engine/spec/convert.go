package spec

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// maxDepth bounds the nesting of a definition.
const maxDepth = 64

// place is where a node begins.
func place(n ast.Node) (line, col int) {
	t := n.GetToken()
	switch x := n.(type) {
	case *ast.MappingNode:
		if !x.IsFlowStyle && len(x.Values) > 0 {
			t = x.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		t = x.Key.GetToken()
	case *ast.LiteralNode:
		t = x.Start
	}
	if t == nil || t.Position == nil {
		return 1, 1
	}
	return max(t.Position.Line, 1), max(t.Position.Column, 1)
}

// convert makes a tree of what the parser gives.
func (d *document) convert(t *tree, n ast.Node, depth int) {
	t.line, t.col = place(n)
	if depth > maxDepth {
		d.fail(t.line, t.col, fmt.Sprintf("nested more than %d deep", maxDepth))
		return
	}
	switch x := n.(type) {
	case *ast.NullNode:
		t.masked = x.Token.Value
		if x.Token.Type == token.ImplicitNullType {
			t.masked = ""
		}
	case *ast.MappingNode, *ast.MappingValueNode:
		bodies := d.keys(t, members(n))
		for _, p := range t.pairs {
			d.member(p.Value.t, bodies[p.Value.t], depth)
		}
	case *ast.SequenceNode:
		t.kind = List
		for i, v := range x.Values {
			item := &tree{doc: d, parent: t, key: fmt.Sprint(i)}
			d.convert(item, v, depth+1)
			t.items = append(t.items, Node{item})
		}
	case *ast.LiteralNode:
		t.style = block
		d.scalar(t, x.Value.Value)
	case ast.ScalarNode:
		d.plainOrQuoted(t, n)
	default:
		d.odd(t, n)
	}
}

// odd reports what YAML has and definitions do not.
func (d *document) odd(t *tree, n ast.Node) {
	message := fmt.Sprintf("%s are no part of definitions", oddity(n))
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		message += shareByInclude
	}
	d.fail(t.line, t.col, message)
	t.broken = true
}

// shareByInclude is what there is instead of anchors.
const shareByInclude = ": what several definitions share stands in a file that they include"

func oddity(n ast.Node) string {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode:
		return "anchors and aliases"
	case *ast.TagNode:
		return "tags"
	default:
		return fmt.Sprintf("values of kind %s", strings.ToLower(n.Type().YAMLName()))
	}
}

func (d *document) plainOrQuoted(t *tree, n ast.Node) {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		d.odd(t, n)
		return
	}
	tok := n.GetToken()
	text := tok.Value
	switch tok.Type {
	case token.DoubleQuoteType:
		t.style = doubleQuoted
	case token.SingleQuoteType:
		t.style = singleQuoted
	}
	if s, ok := n.(*ast.StringNode); ok {
		text = s.Value
	}
	d.scalar(t, text)
}

func (d *document) scalar(t *tree, masked string) {
	t.kind, t.masked = Scalar, masked
	var faults []fault
	t.text, t.spans, faults = d.fill(masked)
	for _, f := range faults {
		line, col := t.placeOf(f.mask)
		d.fail(line, col, f.message)
		t.broken = true
	}
}

// members lists what a mapping holds; nil for other nodes.
func members(n ast.Node) []*ast.MappingValueNode {
	switch x := n.(type) {
	case *ast.MappingNode:
		return x.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{x}
	}
	return nil
}

// head makes the root of a file of the names of its sections. What vars says can be asked for from here on; the
// other sections are left to rest.
func (d *document) head(body ast.Node) {
	if len(members(body)) == 0 {
		d.convert(d.root, body, 0)
		return
	}
	d.root.line, d.root.col = place(body)
	d.bodies = d.keys(d.root, members(body))
	for _, p := range d.root.pairs {
		if vars := p.Value.t; vars.key == "vars" && len(members(d.bodies[vars])) > 0 {
			d.preset(vars, d.bodies[vars])
			delete(d.bodies, vars)
		}
	}
}

// preset makes what vars says known. A file that includes this one has said its own before, which counts.
func (d *document) preset(vars *tree, body ast.Node) {
	vars.line, vars.col = place(body)
	bodies := d.keys(vars, members(body))
	for _, p := range vars.pairs {
		item := p.Value.t
		one := &preset{read: func() (value, bool) {
			d.member(item, bodies[item], 1)
			return value{item.text, item.shown()}, item.kind == Scalar
		}}
		d.presets = append(d.presets, one)
		if d.vars.presets[item.key] == nil {
			d.vars.presets[item.key] = one
		}
	}
}

// rest converts what head left.
func (d *document) rest() {
	for _, p := range d.presets {
		p.get()
	}
	for _, p := range d.root.pairs {
		d.section(p.Value.t)
	}
}

// section converts a section, once.
func (d *document) section(t *tree) {
	if body, ok := d.bodies[t]; ok {
		delete(d.bodies, t)
		d.member(t, body, 0)
	}
}

// keys makes a mapping of t, whose values are still to be converted from the bodies.
func (d *document) keys(t *tree, values []*ast.MappingValueNode) (bodies map[*tree]ast.Node) {
	t.kind = Mapping
	bodies = map[*tree]ast.Node{}
	first := map[string]*tree{}
	for _, v := range values {
		key := d.key(t, v.Key)
		if key == nil {
			continue
		}
		if f := first[key.text]; f != nil {
			d.fail(key.line, key.col, fmt.Sprintf("key %q is here twice: first in line %d", key.shown(), f.line))
			continue
		}
		first[key.text] = key
		item := &tree{doc: d, parent: t, key: key.text, name: key}
		bodies[item] = v.Value
		t.pairs = append(t.pairs, Pair{Node{key}, Node{item}})
	}
	return bodies
}

// member converts a mapping's value.
func (d *document) member(item *tree, body ast.Node, depth int) {
	if body != nil {
		d.convert(item, body, depth+1)
	}
	if item.kind == Null && item.masked == "" {
		item.line, item.col = item.name.line, item.name.col
	}
	if item.kind != Scalar {
		return
	}
	if item.secret() {
		d.secrets = append(d.secrets, item.text)
		for line := range strings.Lines(item.text) {
			d.secrets = append(d.secrets, strings.TrimSpace(line))
		}
	}
}

// key makes a tree of a mapping's key; nil where it is none. Variables are replaced in names of tables.
func (d *document) key(parent *tree, k ast.MapKeyNode) *tree {
	t := &tree{doc: d, parent: parent, isKey: true}
	t.line, t.col = place(k)
	tok := k.GetToken()
	_, scalar := k.(ast.ScalarNode)
	switch k.(type) {
	case *ast.MergeKeyNode, *ast.MappingKeyNode, *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		scalar = false
	}
	if !scalar || tok == nil {
		d.fail(t.line, t.col, "a key must be a plain name: anchors, merge keys and complex keys are no part of definitions"+shareByInclude)
		return nil
	}
	t.kind, t.masked = Scalar, tok.Value
	switch tok.Type {
	case token.DoubleQuoteType:
		t.style = doubleQuoted
	case token.SingleQuoteType:
		t.style = singleQuoted
	}
	if parent.parent != nil && parent.parent.parent == nil && parent.key == "tables" {
		d.scalar(t, tok.Value)
	} else if t.text = d.unmask(tok.Value); strings.Contains(t.text, "${") {
		d.fail(t.line, t.col, fmt.Sprintf("key %q: variables are replaced in values and in names of tables, not in other keys", t.text))
	}
	t.key = t.text
	return t
}
