package redisconn

import "strings"

// crcTable is CRC-16/XMODEM, the hash of Redis Cluster (cluster specification,
// appendix A).
var crcTable = func() (t [256]uint16) {
	for i := range t {
		crc := uint16(i) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
		t[i] = crc
	}
	return t
}()

// slotOf is the hash slot of a key: of its hash tag, if it has one that is not empty.
func slotOf(key string) uint16 {
	if _, rest, ok := strings.Cut(key, "{"); ok {
		if tag, _, ok := strings.Cut(rest, "}"); ok && tag != "" {
			key = tag
		}
	}
	var crc uint16
	for i := range len(key) {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^key[i]]
	}
	return crc & 16383
}

// oneSlot tells whether all keys lie in the same slot.
func oneSlot(keys []string) bool {
	for i := 1; i < len(keys); i++ {
		if slotOf(keys[i]) != slotOf(keys[0]) {
			return false
		}
	}
	return true
}
