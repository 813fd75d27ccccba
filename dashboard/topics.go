package dashboard

import (
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/dashboard/internal/chart"
	"github.com/larder-go/larder/observe"
)

// maxTopicsAsked bounds the topics whose streams are looked at for a page.
const maxTopicsAsked = 100

// topicRow is one topic.
type topicRow struct {
	Name string
	// Published and Received are the rates now, Lag is how many messages wait for
	// subscribers.
	Published, Received, Lag float64
	// Subscribers is how many connections listen at the server.
	Subscribers float64
	Durable     bool
	Length      float64
	Last        time.Time
	Figures     []tally
}

type topicTable struct {
	Rows    []topicRow
	More    int
	Cluster bool
	Now     time.Time
}

func (d *Dashboard) topics(v *viewing) []panel {
	x := v.snap.figures
	t := topicTable{Cluster: d.c.Capabilities().Cluster, Now: v.now}
	names := v.snap.names(observe.Topic)
	if len(names) > maxTopicsAsked {
		t.More, names = len(names)-maxTopicsAsked, names[:maxTopicsAsked]
	}
	for _, s := range names {
		ft := x.of(s.kind, s.name)
		lag := ft.gauge(metricLag)
		t.Rows = append(t.Rows, topicRow{
			Lag: lag, Name: s.name, Published: x.perSecond(ft.counts(metricPublished, ""), v.now),
			Received: x.perSecond(ft.counts(metricReceived, ""), v.now), Figures: x.tallies(s.kind, s.name, v.now),
		})
	}
	if v.snap.problem == "" {
		d.askTopics(v, t.Rows)
	}
	panels := []panel{{ID: "topics", Template: "topics", Wide: true, Data: t}}
	if len(t.Rows) > 0 {
		all := x.together(observe.Topic)
		panels = append(panels, panel{ID: "rate", Template: "chart", Wide: true, Data: chartOf{
			Title: "Messages each minute, over all topics",
			SVG: x.lines(false, chart.Options{
				Says: "Messages published and received each minute over the last hour", Format: count,
			}, chart.Series{Name: "published", Values: all.counts(metricPublished, "")},
				chart.Series{Name: "received by processes", Values: all.counts(metricReceived, "")}),
		}})
	}
	for i, r := range t.Rows {
		if i == 8 {
			break
		}
		panels = append(panels, panel{ID: "tally-" + word(i), Template: "named-tally", Wide: true, Data: r})
	}
	return panels
}

// askTopics asks Redis what it knows of topics. What it does not tell stays empty.
func (d *Dashboard) askTopics(v *viewing, rows []topicRow) {
	if len(rows) == 0 {
		return
	}
	ctx, cancel := d.bounded(v.r)
	defer cancel()
	cmds := make([]conn.Command, 0, 3*len(rows))
	for _, r := range rows {
		cmds = append(cmds,
			conn.Key("XLEN", r.Name),
			conn.Command{Args: []string{"XINFO", "STREAM", r.Name}, KeyAt: 2},
			conn.Cmd("PUBSUB", "NUMSUB", r.Name))
	}
	results := d.c.Pipeline(ctx, cmds...)
	for i := range rows {
		r := results[3*i:]
		if n := r[0].Value; r[0].Err == nil && n.Int > 0 {
			rows[i].Durable, rows[i].Length = true, float64(n.Int)
		}
		if r[1].Err == nil {
			rows[i].Last = lastOf(r[1].Value.Elems)
		}
		if e := r[2].Value.Elems; r[2].Err == nil && len(e) == 2 {
			n, _ := e[1].Int64()
			rows[i].Subscribers = float64(n)
		}
	}
}

// lastOf finds the time of the last message in a reply to XINFO STREAM, whose ids begin
// with one. Its messages are not looked at.
func lastOf(info []conn.Value) time.Time {
	for i := 0; i+1 < len(info); i += 2 {
		if info[i].Str != "last-generated-id" {
			continue
		}
		ms, _, _ := strings.Cut(info[i+1].Str, "-")
		if n, err := strconv.ParseInt(ms, 10, 64); err == nil && n > 0 {
			return time.UnixMilli(n)
		}
	}
	return time.Time{}
}

func word(i int) string { return strconv.Itoa(i) }
