package dashboard

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

func TestOptionsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := engine(t).Connect()
	const token = "long-enough-token"
	for field, o := range map[string]Options{
		"Options.Token":                       {},
		"Options.Authenticate":                {Token: token, Authenticate: func(*http.Request) bool { return true }},
		"Options.Refresh":                     {Token: token, Refresh: time.Millisecond},
		"Options.Timeout":                     {Token: token, Timeout: -1},
		"Options.SessionLife":                 {Token: token, SessionLife: time.Second},
		"Options.MaxSessions":                 {Token: token, MaxSessions: -1},
		"Options.MaxViewers":                  {Token: token, MaxViewers: -1},
		"the number of Options.Topics":        {Token: token, Topics: make([]string, maxTopics+1)},
		"the length of one of Options.Topics": {Token: token, Topics: []string{""}},
	} {
		_, err := New(c, o)
		oe, ok := errors.AsType[*OptionError](err)
		if !ok || oe.Field != field || oe.Allowed == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := New(nil, Options{Token: token}); err == nil {
		t.Error("no Conn")
	}
}
