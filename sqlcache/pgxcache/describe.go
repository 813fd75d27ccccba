package pgxcache

import "github.com/larder-go/larder/observe"

// Describe tells what the options say of the cache: see sqlcache.Describe.
func (db *DB) Describe() observe.Subject {
	return db.wrapper.(interface{ Describe() observe.Subject }).Describe()
}
