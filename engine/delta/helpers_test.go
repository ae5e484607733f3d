package delta

import "encoding/json"

func textsOf(m map[string]json.RawMessage) map[string]string {
	texts := map[string]string{}
	for k, v := range m {
		texts[k] = Text(v)
	}
	return texts
}
