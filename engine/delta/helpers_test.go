package delta

import (
	"context"
	"encoding/json"
	"time"
)

// noContext is for helpers that have no test's context at hand.
var noContext = context.Background()

var someTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func textsOf(m map[string]json.RawMessage) map[string]string {
	texts := map[string]string{}
	for k, v := range m {
		texts[k] = Text(v)
	}
	return texts
}
