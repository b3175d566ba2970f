package manifest

import (
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// ParseAmount reads a quantity, such as 200, 1500m or 64Gi, of a resource or of what a quota
// limits: CPU in thousandths, everything else in ones, rounded up.
func ParseAmount(name, text string) (int64, error) {
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return 0, wrong("is no quantity", "write a number like 200, 1500m or 64Gi")
	}
	bare := strings.TrimPrefix(strings.TrimPrefix(name, "requests."), "limits.")
	return amountOf(v1.ResourceName(bare), &q)
}
