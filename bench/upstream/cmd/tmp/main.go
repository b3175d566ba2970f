package main

import (
	"context"
	"fmt"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/profile"
	_ "k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
	_ "sigs.k8s.io/yaml"
)

func main() {
	client := fake.NewSimpleClientset()
	inf := informers.NewSharedInformerFactory(client, 0)
	bc := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	_, err := scheduler.New(context.Background(), client, inf, nil, profile.NewRecorderFactory(bc))
	fmt.Println(err)
}
