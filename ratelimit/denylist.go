package ratelimit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// maxListed bounds a DenyList.
const maxListed = 1_000_000

// DenyList is a list of identifiers, addresses, ranges, user agents and countries
// in the process. Make one with ParseDenyList. It does not change, and is safe for
// concurrent use.
type DenyList struct {
	values map[string]struct{}
	ranges map[netip.Prefix]struct{}
	// The lengths of ranges that there are, of IPv4 and IPv6.
	lengths4, lengths6 [129]bool
}

// ParseDenyList reads one value per line: an address, a range in CIDR notation, or
// anything else, which is compared as it is with identifier, user agent and country.
// White space around a value, empty lines and lines that begin with # are skipped. At
// most a million values of 1024 bytes.
func ParseDenyList(r io.Reader) (*DenyList, error) {
	d := &DenyList{values: map[string]struct{}{}, ranges: map[netip.Prefix]struct{}{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 2*MaxIdentifierBytes), 4*MaxIdentifierBytes)
	n := 0
	for lines.Scan() {
		n++
		v := strings.TrimSpace(lines.Text())
		if v == "" || v[0] == '#' {
			continue
		}
		if len(v) > MaxIdentifierBytes {
			return nil, fmt.Errorf("ratelimit: deny list: line %d has %d bytes; allowed: up to %d", n, len(v), MaxIdentifierBytes)
		}
		if len(d.values)+len(d.ranges) >= maxListed {
			return nil, fmt.Errorf("ratelimit: deny list: more than %d values", maxListed)
		}
		d.add(v)
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return nil, fmt.Errorf("ratelimit: deny list: line %d has more than %d bytes", n+1, MaxIdentifierBytes)
		}
		return nil, fmt.Errorf("ratelimit: deny list: %w", err)
	}
	return d, nil
}

func (d *DenyList) add(v string) {
	if p, err := netip.ParsePrefix(v); err == nil {
		p = canonical(p)
		d.ranges[p] = struct{}{}
		d.lengths(p.Addr())[p.Bits()] = true
		return
	}
	if a, err := netip.ParseAddr(v); err == nil {
		v = a.Unmap().WithZone("").String()
	}
	d.values[v] = struct{}{}
}

func (d *DenyList) lengths(a netip.Addr) *[129]bool {
	if a.Is4() {
		return &d.lengths4
	}
	return &d.lengths6
}

// names tells whether v itself is on the list.
func (d *DenyList) names(v string) bool {
	_, ok := d.values[v]
	return ok
}

// covers tells whether an address, or a range around it, is on the list.
func (d *DenyList) covers(ip string) bool {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	lengths := d.lengths(a)
	for bits := 0; bits <= a.BitLen(); bits++ {
		if !lengths[bits] {
			continue
		}
		p, err := a.Prefix(bits)
		if err != nil {
			return false
		}
		if _, ok := d.ranges[p]; ok {
			return true
		}
	}
	return d.names(a.String())
}
