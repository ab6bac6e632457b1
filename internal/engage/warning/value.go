package warning

import (
	"encoding/json"
	"strconv"
)

// Share is a percentage as a value of a condition.
func Share(percent int) json.RawMessage {
	return json.RawMessage(strconv.FormatFloat(float64(percent)/100, 'f', -1, 64))
}

// Text is a text as a value of a condition.
func Text(s string) json.RawMessage { return json.RawMessage(strconv.Quote(s)) }
