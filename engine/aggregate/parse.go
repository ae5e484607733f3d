package aggregate

import "github.com/millrace-io/millrace/engine/expr"

// A Call is an aggregate as a definition writes it, before names and types are known.
type Call struct{ call *expr.Call }

// Parse reads name([distinct] arguments) [filter (where condition)]. The error is expr.Errors.
func Parse(text string) (*Call, error) {
	c, err := expr.ParseCall(text)
	if err != nil {
		return nil, err
	}
	return &Call{c}, nil
}

// String is the call as text that parses to the same call. Two calls of one text give the same.
func (c *Call) String() string { return c.call.String() }
