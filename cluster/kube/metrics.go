package kube

import (
	"strconv"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what a Cluster counts of itself.
type metrics struct {
	requests   *prometheus.CounterVec   // by verb and HTTP status, 0 where none came
	latency    *prometheus.HistogramVec // in seconds, by verb
	events     *prometheus.CounterVec   // by kind
	relists    *prometheus.CounterVec   // by kind: lists after the first
	rejections *prometheus.CounterVec   // by kind of decision
	misread    *prometheus.CounterVec   // by kind: observations of objects that can't be converted
	dropped    prometheus.Counter       // Events that were not written
	inFlight   prometheus.Gauge
	waiting    prometheus.Gauge
}

// newMetrics registers the metrics, if there is anywhere to.
func newMetrics(to prometheus.Registerer) (*metrics, error) {
	const ns = "berth_kube"
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Name: name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: ns, Name: name, Help: help})
	}
	m := &metrics{
		requests: counter("requests_total", "Requests that carry out decisions, by verb and HTTP status (0: no answer).", "verb", "code"),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: ns, Name: "request_duration_seconds", Help: "How long these requests took.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}, []string{"verb"}),
		events:     counter("events_total", "Events that watches and answers became, by kind.", "kind"),
		relists:    counter("relists_total", "Lists after the first, each after a watch was lost, by kind of object.", "kind"),
		rejections: counter("rejections_total", "Decisions that could not be carried out, by kind.", "kind"),
		misread:    counter("unreadable_objects_total", "Observations of objects that could not be converted, by kind.", "kind"),
		dropped:    prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Name: "dropped_events_total", Help: "Kubernetes Events and conditions that were not written, as too many waited."}),
		inFlight:   gauge("decisions_in_flight", "Decisions whose requests wait or are under way."),
		waiting:    gauge("inbox_length", "Observations and answers that the loop has not taken in yet, when it last looked."),
	}
	if to == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.requests, m.latency, m.events, m.relists, m.rejections, m.misread, m.dropped, m.inFlight, m.waiting} {
		if err := to.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// count counts events.
func (m *metrics) count(events []cluster.Event) {
	for i := range events {
		m.events.WithLabelValues(events[i].Kind.String()).Inc()
	}
}

// request counts a request that began at a time and was answered with an HTTP status.
func (m *metrics) request(verb string, began time.Time, code int) {
	m.requests.WithLabelValues(verb, strconv.Itoa(code)).Inc()
	m.latency.WithLabelValues(verb).Observe(time.Since(began).Seconds())
}
