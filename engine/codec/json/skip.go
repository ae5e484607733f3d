package json

// maxDepth is how deep a value may nest that no column asks for.
const maxDepth = 1000

// skip checks the value at p and gives the position behind it. depth counts the values it lies in, itself
// included, from the unknown member down.
func (d *Decoder) skip(b []byte, p, depth int) int {
	if p == len(b) {
		return d.fail(p, "a value")
	}
	switch b[p] {
	case '"':
		_, p = d.quoted(b, p)
		return p
	case '{':
		return d.skipObject(b, p, depth)
	case '[':
		return d.skipArray(b, p, depth)
	case 't':
		return d.literal(b, p, "true")
	case 'f':
		return d.literal(b, p, "false")
	case 'n':
		return d.literal(b, p, "null")
	}
	_, end := scanNumber(b, p)
	if end < 0 {
		return d.fail(p, "a value")
	}
	return end
}

func (d *Decoder) skipObject(b []byte, p, depth int) int {
	if depth > maxDepth {
		return d.fail(p, "no deeper nesting")
	}
	p = space(b, p+1)
	if p < len(b) && b[p] == '}' {
		return p + 1
	}
	for {
		if p == len(b) || b[p] != '"' {
			return d.fail(p, "a key")
		}
		if _, p = d.quoted(b, p); p < 0 {
			return bad
		}
		if p = d.colon(b, p); p < 0 {
			return bad
		}
		if p = d.skip(b, p, depth+1); p < 0 {
			return bad
		}
		p = space(b, p)
		switch {
		case p < len(b) && b[p] == '}':
			return p + 1
		case p == len(b) || b[p] != ',':
			return d.fail(p, `"," or "}"`)
		}
		p = space(b, p+1)
	}
}

func (d *Decoder) skipArray(b []byte, p, depth int) int {
	if depth > maxDepth {
		return d.fail(p, "no deeper nesting")
	}
	p = space(b, p+1)
	if p < len(b) && b[p] == ']' {
		return p + 1
	}
	for {
		if p = d.skip(b, p, depth+1); p < 0 {
			return bad
		}
		p = space(b, p)
		switch {
		case p < len(b) && b[p] == ']':
			return p + 1
		case p == len(b) || b[p] != ',':
			return d.fail(p, `"," or "]"`)
		}
		p = space(b, p+1)
	}
}

// literal reads true, false or null, which is known to begin at p.
func (d *Decoder) literal(b []byte, p int, want string) int {
	end := p + len(want)
	if end > len(b) || string(b[p:end]) != want {
		return d.fail(p, want)
	}
	return end
}
