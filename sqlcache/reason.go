package sqlcache

// reason is why a query does not go through the cache.
type reason int

const (
	cached reason = iota
	notAsked
	switchedOff
	badHint
	inTransaction
	sessionChanged
	notARead
	notCacheable
	tableExcluded
	badArgument
	tooManyTags
	definitionsUnknown
	reasons
)

// reasonTexts are for people, and the keys of Stats.Bypassed.
var reasonTexts = [reasons]string{
	notAsked:           "not asked for",
	switchedOff:        "switched off",
	badHint:            "a hint that makes no sense",
	inTransaction:      "in a transaction",
	sessionChanged:     "the session was changed",
	notARead:           "not a read",
	notCacheable:       "not cacheable",
	tableExcluded:      "a table is excluded",
	badArgument:        "an argument that cannot be compared",
	tooManyTags:        "too many tags",
	definitionsUnknown: "the definitions are not known",
}

func (r reason) String() string { return reasonTexts[r] }
