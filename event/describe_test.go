package event_test

import (
	"reflect"
	"testing"

	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/event"
	"github.com/larder-go/larder/observe"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, tt := range []struct{ got, want observe.Subject }{
		{topic[order](t, c, "orders", event.Options{Durable: true}).Describe(), observe.Subject{
			Kind: observe.Topic, Name: "orders", Keys: []string{"orders"}, Pattern: "orders", Type: "stream", Value: "event_test.order",
			TTL: event.DefaultRetention, Policy: "durable, the last 10000 messages; a slow subscriber: Block after 256",
		}},
		{topic[string](t, c, "news.*", event.Options{Pattern: true, Buffer: 8}).Describe(), observe.Subject{
			Kind: observe.Topic, Name: "news.*", Pattern: "news.*", Type: "channel", Value: "string",
			Policy: "nothing is kept: who does not listen misses it; the name is a glob; a slow subscriber: DropOldest after 8",
		}},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("got  %+v\nwant %+v", tt.got, tt.want)
		}
	}
}
