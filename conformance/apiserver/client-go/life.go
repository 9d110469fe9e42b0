package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
)

// election lets one candidate lead and give up, and another take over.
func (p *probe) election(ctx context.Context) {
	lead := func(identity string) {
		inner, cancel := context.WithCancel(ctx)
		lock, err := resourcelock.New(resourcelock.LeasesResourceLock, p.namespace, "leader", p.clients.CoreV1(), p.clients.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: identity})
		check(err)
		leaderelection.RunOrDie(inner, leaderelection.LeaderElectionConfig{
			Lock: lock, ReleaseOnCancel: true, LeaseDuration: 2 * time.Second, RenewDeadline: 1500 * time.Millisecond, RetryPeriod: 200 * time.Millisecond,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { cancel() },
				OnStoppedLeading: func() {},
			},
		})
	}
	lead("one")
	lead("two")
	lease, err := p.clients.CoordinationV1().Leases(p.namespace).Get(ctx, "leader", metav1.GetOptions{})
	check(err)
	p.say("election", *lease.Spec.LeaseTransitions, *lease.Spec.HolderIdentity, *lease.Spec.LeaseDurationSeconds)
}

func (p *probe) events(ctx context.Context) {
	broadcaster := record.NewBroadcaster()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: p.clients.CoreV1().Events(p.namespace)})
	recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "probe"})
	object, err := p.clients.CoreV1().ServiceAccounts(p.namespace).Get(ctx, "default", metav1.GetOptions{})
	check(err)
	for range 3 {
		recorder.Event(object, corev1.EventTypeWarning, "Probed", "the same again")
	}
	until(ctx, "the event", func() bool {
		list, err := p.clients.CoreV1().Events(p.namespace).List(ctx, metav1.ListOptions{FieldSelector: "reason=Probed"})
		check(err)
		if len(list.Items) != 1 || list.Items[0].Count != 3 {
			return false
		}
		p.say("event", list.Items[0].Message, list.Items[0].Count, list.Items[0].Source, list.Items[0].InvolvedObject.Kind)
		return true
	})
	broadcaster.Shutdown()
	newer, err := p.clients.EventsV1().Events(p.namespace).List(ctx, metav1.ListOptions{FieldSelector: "reason=Probed"})
	check(err)
	p.say("event of events.k8s.io", len(newer.Items), newer.Items[0].Note, newer.Items[0].DeprecatedCount)
}

// workload follows a Deployment by informers until its pods run, scales it, evicts a pod and removes all of it.
func (p *probe) workload(ctx context.Context) {
	n := p.namespace
	stop := make(chan struct{})
	factory := informers.NewSharedInformerFactoryWithOptions(p.clients, 0, informers.WithNamespace(n))
	pods := factory.Core().V1().Pods().Lister()
	deployments := factory.Apps().V1().Deployments().Lister()
	sets := factory.Apps().V1().ReplicaSets().Lister()
	slices := factory.Discovery().V1().EndpointSlices().Lister()
	factory.Core().V1().Pods().Informer()
	factory.Apps().V1().Deployments().Informer()
	factory.Apps().V1().ReplicaSets().Informer()
	factory.Discovery().V1().EndpointSlices().Informer()
	factory.Start(stop)
	factory.WaitForCacheSync(stop)
	_, err := p.clients.AppsV1().Deployments(n).Create(ctx, deployment(2), metav1.CreateOptions{FieldManager: "probe"})
	check(err)
	available := func(wanted int32) {
		until(ctx, "the rollout", func() bool {
			live, err := deployments.Deployments(n).Get("web")
			return err == nil && live.Status.AvailableReplicas == wanted && live.Status.Replicas == wanted && live.Status.ObservedGeneration == live.Generation
		})
	}
	available(2)
	live, err := deployments.Deployments(n).Get("web")
	check(err)
	p.say("deployment", live.Status.ReadyReplicas, live.Status.UpdatedReplicas, live.Annotations)
	all, err := sets.List(labels.Everything())
	check(err)
	p.say("replica sets", len(all), all[0].Status.Replicas)
	found, err := pods.List(labels.Everything())
	check(err)
	one := found[0]
	p.say("pod", one.Status.Phase, one.Status.QOSClass, one.Spec.Containers[0].Resources, one.OwnerReferences[0].Kind, one.Spec.Tolerations)
	until(ctx, "endpoints", func() bool {
		list, err := slices.List(labels.Everything())
		return err == nil && len(list) == 1 && len(list[0].Endpoints) == 2
	})
	scale, err := p.clients.AppsV1().Deployments(n).GetScale(ctx, "web", metav1.GetOptions{})
	check(err)
	p.say("scale", scale.Spec, scale.Status.Selector)
	_, err = p.clients.AppsV1().Deployments(n).UpdateScale(ctx, "web", &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: n}, Spec: autoscalingv1.ScaleSpec{Replicas: 1}}, metav1.UpdateOptions{})
	check(err)
	available(1)
	left, err := p.clients.CoreV1().Pods(n).List(ctx, metav1.ListOptions{LabelSelector: "app=web", FieldSelector: "status.phase=Running"})
	check(err)
	until(ctx, "one pod", func() bool {
		left, err = p.clients.CoreV1().Pods(n).List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
		check(err)
		return len(left.Items) == 1
	})
	eviction := p.clients.PolicyV1().Evictions(n).Evict(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: left.Items[0].Name}})
	p.say("evict", eviction != nil && strings.Contains(eviction.Error(), "disruption budget"))
	p.say("delete", p.clients.AppsV1().Deployments(n).Delete(ctx, "web", metav1.DeleteOptions{PropagationPolicy: pointer(metav1.DeletePropagationForeground)}))
	until(ctx, "garbage collection", func() bool {
		left, err := p.clients.CoreV1().Pods(n).List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
		return err == nil && len(left.Items) == 0
	})
	close(stop)
	factory.Shutdown()
}

// streams talks to a container: by SPDY and by WebSockets.
func (p *probe) streams(ctx context.Context) {
	n := p.namespace
	_, err := p.clients.CoreV1().Pods(n).Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "talks"}, Spec: corev1.PodSpec{TerminationGracePeriodSeconds: pointer(int64(0)), Containers: []corev1.Container{{Name: "c", Image: "x", Ports: []corev1.ContainerPort{{ContainerPort: 80}}}}}}, metav1.CreateOptions{})
	check(err)
	until(ctx, "the pod", func() bool {
		pod, err := p.clients.CoreV1().Pods(n).Get(ctx, "talks", metav1.GetOptions{})
		return err == nil && pod.Status.Phase == corev1.PodRunning
	})
	config := rest.CopyConfig(p.config)
	run := func(name string, command []string, stdin string) {
		request := p.clients.CoreV1().RESTClient().Post().Namespace(n).Resource("pods").Name("talks").SubResource("exec").VersionedParams(&corev1.PodExecOptions{Container: "c", Command: command, Stdin: stdin != "", Stdout: true, Stderr: true}, scheme.ParameterCodec)
		sockets, err := remotecommand.NewWebSocketExecutor(config, "GET", request.URL().String())
		check(err)
		older, err := remotecommand.NewSPDYExecutor(config, "POST", request.URL())
		check(err)
		for i, executor := range []remotecommand.Executor{sockets, older} {
			var stdout, stderr bytes.Buffer
			options := remotecommand.StreamOptions{Stdout: &stdout, Stderr: &stderr}
			if stdin != "" {
				options.Stdin = strings.NewReader(stdin)
			}
			err := executor.StreamWithContext(ctx, options)
			p.say(fmt.Sprintf("exec %s %s", name, []string{"websocket", "spdy"}[i]), stdout.String(), stderr.Len() > 0, err == nil)
		}
	}
	run("echo", []string{"echo", "hello"}, "")
	// Not cat: kwok does not tell a command that its input has ended.
	run("head", []string{"head", "-n", "2"}, "line one\nline two\n")
	run("fails", []string{"sh", "-c", "exit 3"}, "")
	p.forward(ctx, n)
	check(p.clients.CoreV1().Pods(n).Delete(ctx, "talks", metav1.DeleteOptions{}))
}

func (p *probe) forward(ctx context.Context, namespace string) {
	address := p.clients.CoreV1().RESTClient().Post().Namespace(namespace).Resource("pods").Name("talks").SubResource("portforward").URL()
	roundTripper, upgrader, err := spdy.RoundTripperFor(p.config)
	check(err)
	older := spdy.NewDialer(upgrader, &http.Client{Transport: roundTripper}, "POST", address)
	tunnels, err := portforward.NewSPDYOverWebsocketDialer(address, p.config)
	check(err)
	for i, dialer := range []httpstream.Dialer{older, tunnels} {
		name := []string{"spdy", "websocket"}[i]
		stop, ready := make(chan struct{}), make(chan struct{})
		forwarder, err := portforward.New(dialer, []string{"0:80"}, stop, ready, io.Discard, io.Discard)
		check(err)
		failed := make(chan error, 1)
		go func() { failed <- forwarder.ForwardPorts() }()
		select {
		case <-ready:
		case err := <-failed:
			p.say("forward "+name, err)
			continue
		}
		ports, err := forwarder.GetPorts()
		check(err)
		var group sync.WaitGroup
		codes := make([]string, 3)
		for i := range codes {
			group.Go(func() {
				answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", ports[0].Local))
				if err != nil {
					codes[i] = err.Error()
					return
				}
				body, err := io.ReadAll(answer.Body)
				answer.Body.Close()
				codes[i] = fmt.Sprint(answer.StatusCode, len(body) > 0, err)
			})
		}
		group.Wait()
		close(stop)
		<-failed
		p.say("forward "+name, codes)
	}
}

// gone removes the namespace and waits until nothing of it is left.
func (p *probe) gone(ctx context.Context) {
	p.say("remove the namespace", p.clients.CoreV1().Namespaces().Delete(ctx, p.namespace, metav1.DeleteOptions{}))
	until(ctx, "the end of the namespace", func() bool {
		_, err := p.clients.CoreV1().Namespaces().Get(ctx, p.namespace, metav1.GetOptions{})
		return err != nil
	})
}
