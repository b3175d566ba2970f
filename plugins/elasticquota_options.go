package plugins

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/quota"
)

// elasticOptions are ElasticQuota's options.
type elasticOptions struct {
	Queues []elasticQueue `json:"queues"`
}

// An elasticQueue is a quota.Queue. Amounts are by resource, as Kubernetes writes them.
type elasticQueue struct {
	Name           string            `json:"name"`
	Parent         string            `json:"parent"`
	Namespaces     []string          `json:"namespaces"`
	Guaranteed     map[string]amount `json:"guaranteed"`
	BorrowingLimit map[string]amount `json:"borrowingLimit"`
	LendingLimit   map[string]amount `json:"lendingLimit"`
	Weight         int64             `json:"weight"`
}

// An amount is a quantity as it is written.
type amount string

// UnmarshalJSON takes a number or a string, as Kubernetes' quantities do.
func (a *amount) UnmarshalJSON(text []byte) error {
	if text[0] != '"' {
		*a = amount(text)
		return nil
	}
	return json.Unmarshal(text, (*string)(a))
}

// tree returns the tree of the queues.
func (o *elasticOptions) tree() (*quota.Tree, error) {
	var queues []quota.Queue
	for i, q := range o.Queues {
		out := quota.Queue{Name: q.Name, Parent: q.Parent, Namespaces: q.Namespaces, Weight: q.Weight}
		for _, list := range []struct {
			name string
			in   map[string]amount
			out  *[]cluster.NamedAmount
		}{
			{"guaranteed", q.Guaranteed, &out.Guaranteed},
			{"borrowingLimit", q.BorrowingLimit, &out.BorrowingLimit},
			{"lendingLimit", q.LendingLimit, &out.LendingLimit},
		} {
			for _, resource := range slices.Sorted(maps.Keys(list.in)) {
				n, err := readAmount(resource, string(list.in[resource]))
				if err != nil {
					return nil, fmt.Errorf("queues[%d]: %s: %s is %w", i, list.name, resource, err)
				}
				*list.out = append(*list.out, cluster.NamedAmount{Name: resource, Amount: n})
			}
		}
		queues = append(queues, out)
	}
	return quota.NewTree(queues)
}

const (
	cpuName  = "cpu"
	maxBytes = 1 << 60
)

var suffixes = map[string]*big.Rat{
	"m": big.NewRat(1, 1000), "": big.NewRat(1, 1),
	"k": big.NewRat(1e3, 1), "M": big.NewRat(1e6, 1), "G": big.NewRat(1e9, 1), "T": big.NewRat(1e12, 1), "P": big.NewRat(1e15, 1),
	"Ki": big.NewRat(1<<10, 1), "Mi": big.NewRat(1<<20, 1), "Gi": big.NewRat(1<<30, 1), "Ti": big.NewRat(1<<40, 1), "Pi": big.NewRat(1<<50, 1),
}

// readAmount reads a quantity: cpu in milli-CPUs, all else in whole units. Unlike Kubernetes it
// doesn't round.
func readAmount(resource, text string) (int64, error) {
	end := len(strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	factor, ok := suffixes[text[end:]]
	number, isNumber := new(big.Rat).SetString(text[:end])
	if !ok || !isNumber || strings.Contains(text[:end], "/") {
		return 0, fmt.Errorf("%q; write a quantity such as 2, 500m or 4Gi", text)
	}
	n := number.Mul(number, factor)
	if resource == cpuName {
		n.Mul(n, big.NewRat(1000, 1))
	}
	switch {
	case !n.IsInt() && resource == cpuName:
		return 0, fmt.Errorf("%s; it must be whole thousandths", text)
	case !n.IsInt():
		return 0, fmt.Errorf("%s; it must be a whole number", text)
	case n.Sign() < 0:
		return 0, fmt.Errorf("%s; it must be 0 or more", text)
	case !n.Num().IsInt64() || n.Num().Int64() > maxBytes:
		return 0, fmt.Errorf("%s; that is too much to count", text)
	}
	return n.Num().Int64(), nil
}

// writeAmount writes what readAmount reads.
func writeAmount(resource string, n int64) string {
	if resource != cpuName {
		return strconv.FormatInt(n, 10)
	}
	if n%1000 != 0 {
		return strconv.FormatInt(n, 10) + "m"
	}
	return strconv.FormatInt(n/1000, 10)
}
