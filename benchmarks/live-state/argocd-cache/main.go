// What Argo CD's cluster cache (gitops-engine) holds of a cluster: argocd-cache KUBECONFIG prints one line of JSON.
//
// Set up as Argo CD's application controller does: the whole manifest of objects that belong to an app and of CRDs, a node of the
// resource tree for all others. What the controller adds to each node (health, images, network targets) is left out, so
// the figure is a lower bound.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/argoproj/gitops-engine/pkg/cache"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
)

const trackingLabel = "app.kubernetes.io/instance"

type info struct{ appName string }

func settledBytes() uint64 {
	for range 4 {
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	config.QPS, config.Burst = 50, 100
	clusterCache := cache.NewClusterCache(config,
		cache.SetPopulateResourceInfoHandler(func(un *unstructured.Unstructured, isRoot bool) (any, bool) {
			app := un.GetLabels()[trackingLabel]
			if !isRoot {
				app = ""
			}
			return &info{appName: app}, app != "" || un.GetKind() == kube.CustomResourceDefinitionKind
		}))
	before := settledBytes()
	started := time.Now()
	if err := clusterCache.EnsureSynced(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	took := time.Since(started)
	objects := clusterCache.FindResources("")
	whole := 0
	for _, resource := range objects {
		if resource.Resource != nil {
			whole++
		}
	}
	count := len(objects)
	objects = nil
	held := settledBytes() - before
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	line, _ := json.Marshal(map[string]any{
		"mode": "argocd", "objects": count, "whole": whole, "bytesPerObject": held / uint64(count),
		"heldMegabytes": float64(held/100_000) / 10, "rssMegabytes": usage.Maxrss / 1024, "syncMs": took.Milliseconds(),
		"cpuMs": (usage.Utime.Nano() + usage.Stime.Nano()) / 1_000_000,
	})
	fmt.Println(string(line))
	runtime.KeepAlive(clusterCache)
}
