package redisconn

import "github.com/larder-go/larder/internal/slot"

// slotCount is the number of hash slots of a cluster.
const slotCount = slot.Count

// slotOf is the hash slot of a key.
func slotOf(key string) uint16 { return slot.Of(key) }

// oneSlot tells whether all keys lie in the same slot.
func oneSlot(keys []string) bool {
	for i := 1; i < len(keys); i++ {
		if slotOf(keys[i]) != slotOf(keys[0]) {
			return false
		}
	}
	return true
}
