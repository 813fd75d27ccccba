package limithttp

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// DefaultIPv6Bits is how much of an IPv6 address counts: a household or a machine has
// at least that network, and may use any address in it.
const DefaultIPv6Bits = 64

// maxHops is how many addresses of X-Forwarded-For are looked at, from the right.
const maxHops = 32

// IPOptions say whom to believe about addresses. The zero value believes the
// connection only.
type IPOptions struct {
	// Trusted are the networks of your own proxies. X-Forwarded-For is read only
	// where the connection comes from one of them, and from right to left: each
	// trusted proxy vouches for the address that it has added, and the first address
	// that is not trusted is the client's. Whatever stands to the left of it can be
	// invented by the client.
	Trusted []netip.Prefix

	// IPv6Bits is how many bits of an IPv6 address IP keeps. 0 means DefaultIPv6Bits
	// (64); 128 keeps all; other numbers outside of 1 to 128 mean 64.
	IPv6Bits int
}

// IP names the one who asks by address: "192.0.2.1", or the network "2001:db8::/64".
// It knows none where the connection has no address (a unix socket) and no trusted
// proxy has told one.
func IP(o IPOptions) KeyFunc {
	bits := o.IPv6Bits
	if bits < 1 || bits > 128 {
		bits = DefaultIPv6Bits
	}
	return func(r *http.Request) string {
		a := o.address(r)
		switch {
		case !a.IsValid():
			return ""
		case a.Is4() || bits == 128:
			return a.String()
		}
		p, err := a.Prefix(bits)
		if err != nil {
			return ""
		}
		return p.String()
	}
}

// address is the client's, as far as it can be believed.
func (o IPOptions) address(r *http.Request) netip.Addr {
	client := parse(r.RemoteAddr)
	if !o.trusts(client) {
		return client
	}
	hops := 0
	for _, rest := range slices.Backward(r.Header["X-Forwarded-For"]) {
		for more := true; more; {
			var hop string
			if at := strings.LastIndexByte(rest, ','); at >= 0 {
				rest, hop = rest[:at], rest[at+1:]
			} else {
				hop, more = rest, false
			}
			if hops++; hops > maxHops {
				return client
			}
			a := parse(strings.TrimSpace(hop))
			if !a.IsValid() { // the proxy did not know, or the client is making things up
				return client
			}
			if client = a; !o.trusts(client) {
				return client
			}
		}
	}
	return client
}

func (o IPOptions) trusts(a netip.Addr) bool {
	for _, p := range o.Trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// parse reads an address with or without a port. The zone of a link-local address
// is dropped, and IPv4 in IPv6's clothes is IPv4.
func parse(s string) netip.Addr {
	bare := s
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		bare = s[1 : len(s)-1]
	}
	a, err := netip.ParseAddr(bare)
	if err != nil {
		ap, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}
		}
		a = ap.Addr()
	}
	return a.Unmap().WithZone("")
}
