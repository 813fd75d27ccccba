package larder

import "github.com/larder-go/larder/internal/inspect"

// judgement is what a verdict follows from, besides the Explanation.
type judgement struct {
	hot      bool   // L1 answers a Get, which then does nothing else
	negative bool   // what L1 answers is that there is no value
	down     bool   // Redis did not answer
	unusable string // why this process does not use what others would, "" for no such reason
	loader   bool   // there is one
}

// verdict decides in the order of Get.
func (g judgement) verdict(x Explanation) string {
	stored := x.report.State == inspect.Fresh || x.report.State == inspect.Stale
	switch {
	case g.hot:
		return "from L1: served fresh" + g.asNotFound()
	case x.Flight == flightLoad:
		return "a Get waits for the load that is under way in this process"
	case x.NotFromL1 == "" && x.L1FreshFor > 0:
		return "from L1: served fresh" + g.asNotFound()
	case x.NotFromL1 == "":
		return "from L1: served stale" + g.asNotFound() + g.behind(x)
	case g.down:
		return "Redis does not answer" + g.loads()
	case stored && g.unusable != "":
		return "a miss: " + g.unusable + g.loads()
	case stored:
		return "from Redis: " + x.report.Verdict
	case x.report.Verdict != "":
		return x.report.Verdict + g.unlessLoader()
	case x.Writing:
		return "a miss: a WriteThrough is under way; a Get loads and does not store" + g.unlessLoader()
	case x.InL1:
		return "a miss: " + x.NotFromL1 + g.loads()
	}
	return "absent" + g.loads()
}

func (g judgement) asNotFound() string {
	if g.negative {
		return " as not found"
	}
	return ""
}

func (g judgement) loads() string {
	if g.loader {
		return ": the next Get loads"
	}
	return g.unlessLoader()
}

func (g judgement) unlessLoader() string {
	if g.loader {
		return ""
	}
	return "; there is no Options.Load"
}

// behind says which load is behind a stale value.
func (g judgement) behind(x Explanation) string {
	switch {
	case x.Flight == flightRefresh || x.Flight == flightOvertaken:
		return " while one loads"
	case x.Flight == flightPause:
		return ": the last load failed"
	case !g.loader:
		return g.unlessLoader()
	}
	return " while one loads: the next Get begins"
}
