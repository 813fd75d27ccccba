package strategy

// About is what a developer says of a subject, in whole sentences or a few words, for a
// colleague who has never seen it. Each text is up to 2,000 bytes, each list up to 32.
type About struct {
	// Purpose says what is in it and what it is for.
	Purpose string `json:"purpose,omitempty"`
	// Owner is the team or the person to ask.
	Owner string `json:"owner,omitempty"`
	// Criticality says what happens without it.
	Criticality Criticality `json:"criticality,omitempty"`
	// Why gives the reason for its TTL.
	Why string `json:"why,omitempty"`
	// Staleness says how old what is served may be, and why that is all right.
	Staleness string `json:"staleness,omitempty"`
	// Invalidation says how an entry is dropped when its source changes. Required
	// where a copy of something else may be seen for more than a minute.
	Invalidation string `json:"invalidation,omitempty"`
	// Source names what values are loaded from: "PostgreSQL: users".
	Source []string `json:"source,omitempty"`
	// WrittenBy, ReadBy and InvalidatedBy name functions, services or jobs:
	// "Users.Save", "job nightly-import". A name of the form "cache user", "topic
	// orders" stands for the subject of that kind and name.
	WrittenBy     []string `json:"written_by,omitempty"`
	ReadBy        []string `json:"read_by,omitempty"`
	InvalidatedBy []string `json:"invalidated_by,omitempty"`
	// Tags are what the tags of its entries look like: "users", "tenant:<id>".
	Tags []string `json:"tag_names,omitempty"`
	// WarmUp says what fills it before the first user comes, if anything does.
	WarmUp string `json:"warm_up,omitempty"`
	// Shared says that other services use the same keys on purpose. All of them
	// declare it so.
	Shared bool `json:"shared,omitempty"`
	// Irregular is the reason why its name departs from the convention, which is then
	// not applied.
	Irregular string `json:"irregular,omitempty"`
}

// Criticality is what happens where a subject is lost or does not answer.
type Criticality string

// The criticalities.
const (
	Low    Criticality = "low"    // nobody notices: the source carries the load
	Medium Criticality = "medium" // slower, or with less function
	High   Criticality = "high"   // the source does not carry the load, or users are locked out
)
