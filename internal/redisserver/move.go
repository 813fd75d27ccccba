package redisserver

import (
	"fmt"
	"strings"
)

// MoveSlot moves a slot of a cluster, with its keys, from one master to another, as
// resharding does.
func (set *Set) MoveSlot(slot string, from, to *Server) error {
	source, err := from.Do("CLUSTER", "MYID")
	if err != nil {
		return err
	}
	target, err := to.Do("CLUSTER", "MYID")
	if err != nil {
		return err
	}
	if _, err := to.Do("CLUSTER", "SETSLOT", slot, "IMPORTING", source); err != nil {
		return err
	}
	if _, err := from.Do("CLUSTER", "SETSLOT", slot, "MIGRATING", target); err != nil {
		return err
	}
	for range 1000 {
		keys, err := from.Do("CLUSTER", "GETKEYSINSLOT", slot, "20")
		if err != nil {
			return err
		}
		if keys == "" {
			break
		}
		args := []string{"MIGRATE", "127.0.0.1", to.port, "", "0", "5000", "REPLACE", "KEYS"}
		if _, err := from.Do(append(args, strings.Split(keys, "\n")...)...); err != nil {
			return err
		}
	}
	// The new owner first: if it did not know, the slot would be nobody's.
	for _, s := range append([]*Server{to, from}, set.Masters()...) {
		if _, err := s.Do("CLUSTER", "SETSLOT", slot, "NODE", target); err != nil {
			return fmt.Errorf("redisserver: slot %s: %w", slot, err)
		}
	}
	return nil
}

// Owner is the master that holds the slot of a key, and the slot.
func (set *Set) Owner(key string) (owner *Server, slot string, err error) {
	masters := set.Masters()
	if len(masters) == 0 {
		return nil, "", fmt.Errorf("redisserver: no master answers")
	}
	if slot, err = masters[0].Do("CLUSTER", "KEYSLOT", key); err != nil {
		return nil, "", err
	}
	for _, s := range masters {
		_, err := s.Do("GET", key)
		if err == nil || strings.HasPrefix(err.Error(), "WRONGTYPE") {
			return s, slot, nil
		}
	}
	return nil, "", fmt.Errorf("redisserver: nobody holds slot %s", slot)
}
