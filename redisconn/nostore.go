package redisconn

import (
	"time"

	"github.com/redis/rueidis"
)

// noStore keeps nothing. The library wants a store on connections with
// tracking; what is read over them is kept, if at all, by Larder's own caches.
type noStore struct{}

var _ rueidis.CacheStore = noStore{}

func newNoStore(rueidis.CacheStoreOption) rueidis.CacheStore { return noStore{} }

func (noStore) Flight(string, string, time.Duration, time.Time) (rueidis.RedisMessage, rueidis.CacheEntry) {
	return rueidis.RedisMessage{}, nil
}
func (noStore) Update(string, string, rueidis.RedisMessage) int64 { return 0 }
func (noStore) Cancel(string, string, error)                      {}
func (noStore) Delete([]rueidis.RedisMessage)                     {}
func (noStore) Close(error)                                       {}
