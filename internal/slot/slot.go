// Package slot computes the hash slots of Redis Cluster.
package slot

import "strings"

// Count is the number of hash slots of a cluster.
const Count = 16384

// table is CRC-16/XMODEM, the hash of Redis Cluster (cluster specification,
// appendix A).
var table = func() (t [256]uint16) {
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

// Of is the hash slot of a key: of its hash tag, if it has one that is not empty.
func Of(key string) uint16 {
	if _, rest, ok := strings.Cut(key, "{"); ok {
		if tag, _, ok := strings.Cut(rest, "}"); ok && tag != "" {
			key = tag
		}
	}
	var crc uint16
	for i := range len(key) {
		crc = crc<<8 ^ table[byte(crc>>8)^key[i]]
	}
	return crc & (Count - 1)
}
