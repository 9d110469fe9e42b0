// client-go-probe uses a cluster as programs in Go do, through client-go's own clients, and prints what they got: one JSON object, step by
// step. What is another on each run (uids, versions, times, random names) is masked, so that two clusters can be compared.
//
//	client-go-probe -kubeconfig FILE -content-type application/vnd.kubernetes.protobuf
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

type probe struct {
	config     *rest.Config
	clients    kubernetes.Interface
	dynamics   dynamic.Interface
	metadata   metadata.Interface
	extensions apiextensions.Interface
	namespace  string
	steps      []step
}

type step struct {
	Name   string   `json:"name"`
	Result []string `json:"result"`
}

const patience = 60 * time.Second

func main() {
	kubeconfig := flag.String("kubeconfig", "", "the cluster")
	contentType := flag.String("content-type", "", "what typed clients speak; empty for their default")
	namespace := flag.String("namespace", "client-go", "made and removed")
	only := flag.String("only", "", "names of parts to run, with commas; empty for all")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	check(err)
	config.QPS, config.Burst = 1000, 1000
	plain := rest.CopyConfig(config)
	if *contentType != "" {
		config.ContentType = *contentType
		config.AcceptContentTypes = *contentType + ",application/json"
	}
	p := &probe{
		config:     config,
		clients:    kubernetes.NewForConfigOrDie(config),
		dynamics:   dynamic.NewForConfigOrDie(plain),
		metadata:   metadata.NewForConfigOrDie(plain),
		extensions: apiextensions.NewForConfigOrDie(config),
		namespace:  *namespace,
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	parts := []struct {
		name string
		run  func(context.Context)
	}{
		{"namespace", p.makeNamespace}, {"kinds", p.kinds}, {"lists", p.lists}, {"writes", p.writes}, {"errors", p.errors}, {"apply", p.apply},
		{"informers", p.informers}, {"watchlist", p.watchList}, {"custom", p.custom}, {"discovery", p.discovery}, {"reviews", p.reviews},
		{"election", p.election}, {"events", p.events}, {"workload", p.workload}, {"streams", p.streams}, {"gone", p.gone},
	}
	for _, part := range parts {
		if *only == "" || part.name == "namespace" || strings.Contains(","+*only+",", ","+part.name+",") {
			part.run(ctx)
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	check(encoder.Encode(p.steps))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// say adds a step's results: objects as masked JSON, errors by their reason and text, everything else as Go prints it.
func (p *probe) say(name string, results ...any) {
	texts := []string{}
	for _, result := range results {
		texts = append(texts, p.show(result))
	}
	p.steps = append(p.steps, step{Name: name, Result: texts})
}

func (p *probe) show(result any) string {
	switch value := result.(type) {
	case nil:
		return "nil"
	case error:
		return mask(fmt.Sprintf("%s %d: %s %s", apierrors.ReasonForError(value), codeOf(value), value, causes(value)))
	case runtime.Object:
		text, err := json.Marshal(value)
		check(err)
		return mask(string(text))
	case string:
		return mask(value)
	default:
		return mask(fmt.Sprint(value))
	}
}

func codeOf(err error) int32 {
	if status, ok := err.(apierrors.APIStatus); ok {
		return status.Status().Code
	}
	return 0
}

func causes(err error) string {
	status, ok := err.(apierrors.APIStatus)
	if !ok || status.Status().Details == nil {
		return ""
	}
	text, _ := json.Marshal(status.Status().Details)
	return string(text)
}

var masks = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`"(uid|resourceVersion|continue|token|clusterIP|nodeName|hostIP|podIP|holderIdentity|instanceID)":"[^"]+"`), `"$1":"*"`},
	{regexp.MustCompile(`"(creationTimestamp|time|lastTransitionTime|lastUpdateTime|lastProbeTime|startTime|startedAt|acquireTime|renewTime|expirationTimestamp|eventTime|firstTimestamp|lastTimestamp|lastScheduleTime|lastHeartbeatTime|deletionTimestamp|lastPhaseTransitionTime)":"[^"]+"`), `"$1":"*"`},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC`), `TIME`},
	{regexp.MustCompile(`"(clusterIPs|podIPs|hostIPs)":\[[^\]]*\]`), `"$1":["*"]`},
	{regexp.MustCompile(`"(nodePort|observedGeneration)":\d+`), `"$1":0`},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), `UID`},
	{regexp.MustCompile(`(web-)[0-9a-f]{6,10}(-[bcdfghjklmnpqrstvwxz2456789]{5})?`), `$1*`},
	{regexp.MustCompile(`(generated-)[bcdfghjklmnpqrstvwxz2456789]{5}`), `$1*`},
}

func mask(text string) string {
	for _, one := range masks {
		text = one.pattern.ReplaceAllString(text, one.by)
	}
	return text
}

// until asks again and again until the answer is yes.
func until(ctx context.Context, what string, done func() bool) {
	end := time.Now().Add(patience)
	for !done() {
		if time.Now().After(end) || ctx.Err() != nil {
			check(fmt.Errorf("waited too long for %s", what))
		}
		time.Sleep(20 * time.Millisecond)
	}
}
