package ratelimit

import (
	"context"
	"net/netip"
	"slices"

	"github.com/larder-go/larder/conn"
)

// maxDenied is how many values one call of Deny or Permit takes.
const maxDenied = 1000

// deniable are the values of a call that Redis' deny list is asked about. The
// address comes last, followed by the ranges around it: a range is on the list if
// one of its addresses is denied.
func (q *query) deniable() []string {
	values := append(make([]string, 0, 4), q.id)
	for _, v := range []string{q.client.UserAgent, q.client.Country, q.client.IP} {
		if v != "" {
			values = append(values, v)
		}
	}
	addr, err := netip.ParseAddr(q.client.IP)
	if err != nil {
		return values
	}
	addr = addr.Unmap().WithZone("")
	values = slices.Grow(values, 52) // all of the ranges, with one left for the address
	if s := addr.String(); s != q.client.IP {
		values = append(values, s)
	}
	for bits := addr.BitLen(); bits >= 1; bits-- {
		if !rangeLength(addr, bits) {
			continue
		}
		if p, err := addr.Prefix(bits); err == nil {
			values = append(values, p.String())
		}
	}
	return values
}

// rangeLength tells which ranges are looked up: all of IPv4; of IPv6 those of
// networks, and whole addresses.
func rangeLength(addr netip.Addr, bits int) bool {
	return addr.Is4() || bits == addr.BitLen() || bits >= 16 && bits <= 64
}

// deniedValue is what users are told of the value with an index, from 1, of deniable:
// for a range, the address.
func (q *query) deniedValue(index int) string {
	values := q.deniable()
	if index < 1 || index > len(values) {
		return q.id
	}
	fixed := 1
	for _, v := range []string{q.client.UserAgent, q.client.Country, q.client.IP} {
		if v != "" {
			fixed++
		}
	}
	if index > fixed {
		return q.client.IP
	}
	return values[index-1]
}

// deniedHere finds the value that a list in the process names, or that Redis has
// denied a moment ago.
func (l *Limiter) deniedHere(q *query) (string, bool) {
	if l.opts.Denied == nil && !l.opts.DenyList {
		return "", false
	}
	for _, v := range [...]string{q.id, q.client.UserAgent, q.client.Country, q.client.IP} {
		if v == "" {
			continue
		}
		if l.opts.Denied != nil && l.opts.Denied.names(v) {
			return v, true
		}
		if l.opts.DenyList {
			if _, ok := l.denied.get(v, 0, q.now); ok {
				return v, true
			}
		}
	}
	if l.opts.Denied != nil && q.client.IP != "" && l.opts.Denied.covers(q.client.IP) {
		return q.client.IP, true
	}
	return "", false
}

// Deny puts values on the deny list in Redis, for all limiters and TypeScript
// services with the same prefix: identifiers, addresses, user agents, countries, and
// ranges such as 10.0.0.0/8 (IPv6 up to /64), which only Larder looks up. The list has
// no expiry. At most 1000 values; it is one command.
func (l *Limiter) Deny(ctx context.Context, values ...string) error {
	return failed("deny", l.editDenied(ctx, "SADD", values))
}

// Permit takes values off the deny list in Redis. Processes that have refused one
// of them remember it for up to a minute; this one forgets it at once.
func (l *Limiter) Permit(ctx context.Context, values ...string) error {
	err := l.editDenied(ctx, "SREM", values)
	if err == nil {
		l.denied.clear()
	}
	return failed("permit", err)
}

func (l *Limiter) editDenied(ctx context.Context, command string, values []string) error {
	switch {
	case l.closed.Load():
		return ErrClosed
	case !l.opts.DenyList:
		return optionError("DenyList", false, "true to edit the list")
	case len(values) == 0:
		return nil
	case len(values) > maxDenied:
		return badInput(ErrIdentifier, "there are %d values, more than %d", len(values), maxDenied)
	}
	members := make([]string, len(values))
	for i, v := range values {
		if v == "" || len(v) > MaxIdentifierBytes {
			return badInput(ErrIdentifier, "value %d has %d bytes; allowed: 1 to %d", i, len(v), MaxIdentifierBytes)
		}
		members[i] = v
		if p, err := netip.ParsePrefix(v); err == nil {
			if p = canonical(p); !rangeLength(p.Addr(), p.Bits()) || p.Bits() == 0 {
				return badInput(ErrIdentifier, "value %d is a range that is not looked up; allowed: IPv4 /1 to /32, IPv6 /16 to /64 and /128", i)
			}
			members[i] = p.String()
		}
	}
	_, err := l.c.Do(l.bounded(ctx), conn.Key(command, l.names.denyList, members...))
	return err
}

// canonical is p without host bits, and as IPv4 where it is that in IPv6's clothes.
func canonical(p netip.Prefix) netip.Prefix {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked()
}
