package ratelimit

// Client is what a deny list is asked about besides the identifier. Empty fields
// are not looked up.
type Client struct {
	// IP is an address; lists may hold it or a range in CIDR notation.
	IP string
	// UserAgent and Country are looked up as they are.
	UserAgent string
	Country   string
}

// Geo is written into analytics beside the identifier. Empty fields are left out.
// Each combination is counted apart, so mind how many there are.
type Geo struct {
	Country, City, Region, IP string
}

// CallOption is an option of one call: Cost, From or At.
type CallOption struct {
	option uint8
	cost   int64
	client Client
	geo    Geo
}

const (
	optionCost = iota + 1
	optionFrom
	optionAt
)

// Cost is how much a request counts; 1 without it. 0 counts nothing and tells
// whether the limit is kept at the moment. A negative cost gives back what an
// earlier request has taken: to FixedWindow and SlidingWindow in the present window,
// to TokenBucket also beyond its size until the next refill.
func Cost(n int64) CallOption { return CallOption{option: optionCost, cost: n} }

// From names the client for deny lists.
func From(c Client) CallOption { return CallOption{option: optionFrom, client: c} }

// At adds a place to what Options.Analytics writes.
func At(g Geo) CallOption { return CallOption{option: optionAt, geo: g} }

// query is one call.
type query struct {
	id     string
	cost   int64
	now    int64 // Unix ms
	client Client
}

func newQuery(id string, opts []CallOption) (q query, g Geo) {
	q = query{id: id, cost: 1}
	for i := range opts {
		switch o := &opts[i]; o.option {
		case optionCost:
			q.cost = o.cost
		case optionFrom:
			q.client = o.client
		case optionAt:
			g = o.geo
		}
	}
	return q, g
}
