package cluster

import "slices"

// DefaultTolerations returns a pod's tolerations as the API server's admission leaves them:
// with one of so many seconds for nodes that are not ready, and for such that can't be
// reached, unless the pod has its own (plugin/pkg/admission/defaulttolerationseconds).
func DefaultTolerations(own []Toleration, seconds int64) []Toleration {
	all := slices.Clip(own)
	for _, key := range []string{TaintNotReady, TaintUnreachable} {
		has := slices.ContainsFunc(own, func(t Toleration) bool {
			return (t.Key == key || t.Key == "") && (t.Effect == NoExecute || t.Effect == NoEffect)
		})
		if !has {
			all = append(all, Toleration{Key: key, Exists: true, Effect: NoExecute, Seconds: &seconds})
		}
	}
	return all
}
