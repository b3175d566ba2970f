package quota

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// Check decides on a request to create or change an object of a namespace with these quotas, as
// the admission plugin ResourceQuota does. All quotas that count the object must have the room:
// if one hasn't, nothing is charged, and reason says why, with the HTTP status as code, in
// the words of an API server but for what these begin with: RESOURCE "NAME" is forbidden.
//
// After are the quotas as they are then, those that are charged as new objects. Limited is
// usually nil.
func Check(quotas []*cluster.ResourceQuota, r *Request, limited []LimitedResource) (after []*cluster.ResourceQuota, code int16, reason string) {
	charges, code, reason := r.price(quotas, limited)
	if reason != "" {
		return quotas, code, reason
	}
	after = slices.Clone(quotas)
	for len(charges) > 0 {
		n := 1
		for n < len(charges) && charges[n].quota == charges[0].quota {
			n++
		}
		charged, exceeded := pay(quotas[charges[0].quota], charges[:n])
		if len(exceeded) > 0 && r.Subresource != "status" {
			return quotas, http.StatusForbidden, exceeds(charged.Name, exceeded)
		}
		after[charges[0].quota] = charged
		charges = charges[n:]
	}
	return after, 0, ""
}

// pay returns q with what is charged to it, and which of its limits that exceeds.
func pay(q *cluster.ResourceQuota, charges []charge) (charged *cluster.ResourceQuota, exceeded []excess) {
	next := *q
	used := amounts(slices.Clone(q.Used))
	for _, c := range charges {
		limit := q.Enforced[c.limit]
		was, _ := find(used, limit.Name)
		used.add(limit.Name, c.amount)
		if is, _ := find(used, limit.Name); is > limit.Amount {
			exceeded = append(exceeded, excess{limit.Name, c.amount, was, limit.Amount})
		}
	}
	next.Used = used
	return &next, exceeded
}

// An excess is a limit that a request would exceed.
type excess struct {
	name                     string
	requested, used, limited int64
}

// exceeds says that a request would exceed limits of a quota, which are sorted by name.
func exceeds(quota string, limits []excess) string {
	var requested, used, limited []string
	for _, l := range limits {
		requested = append(requested, l.name+"="+quantity(l.name, l.requested))
		used = append(used, l.name+"="+quantity(l.name, l.used))
		limited = append(limited, l.name+"="+quantity(l.name, l.limited))
	}
	return "exceeded quota: " + quota + ", requested: " + strings.Join(requested, ",") +
		", used: " + strings.Join(used, ",") + ", limited: " + strings.Join(limited, ",")
}

// quantity writes an amount of what a quota name limits as Kubernetes does: CPU as 1500m or
// 2, bytes in powers of 1024 if they come out even, everything else in powers of 1000.
// Kubernetes remembers which of the two a quantity was written in; that is lost here.
func quantity(name string, amount int64) string {
	switch unit := strings.TrimPrefix(strings.TrimPrefix(name, requestsPrefix), limitsPrefix); {
	case unit == "cpu":
		if amount%1000 != 0 {
			return strconv.FormatInt(amount, 10) + "m"
		}
		return scaled(amount/1000, 1000, "kMGTPE", "")
	case bytes(unit) && amount != 0 && amount%1024 == 0:
		return scaled(amount, 1024, "KMGTPE", "i")
	}
	return scaled(amount, 1000, "kMGTPE", "")
}

// bytes reports whether a name, without requests. or limits. before it, is counted in bytes.
func bytes(unit string) bool {
	return unit == "memory" || unit == "ephemeral-storage" || unit == "storage" ||
		strings.HasPrefix(unit, hugePages) || strings.HasSuffix(unit, "/requests.storage")
}

// scaled writes n with the largest prefix with which it is whole.
func scaled(n, base int64, prefixes, suffix string) string {
	power := 0
	for n != 0 && n%base == 0 && power < len(prefixes) {
		n /= base
		power++
	}
	text := strconv.FormatInt(n, 10)
	if power > 0 {
		text += prefixes[power-1:power] + suffix
	}
	return text
}
