// Renders a chart many times in one warm process with Helm's own library, and prints one JSON line of figures:
// the peer of benchmarks/helm/run.ts. usage: inproc [-n ROUNDS] [-set KEY=VALUE] CHART
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"syscall"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// render does what `helm template` does after the chart is loaded: values, templates, sorting.
func render(c *chart.Chart) int {
	options := common.ReleaseOptions{Name: "rel", Namespace: "default", Revision: 1, IsInstall: true}
	values, err := util.ToRenderValues(c, map[string]any{}, options, common.DefaultCapabilities)
	fail(err)
	files, err := engine.Render(c, values)
	fail(err)
	for name := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
		}
	}
	_, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	fail(err)
	bytes := 0
	for _, m := range manifests {
		bytes += len(m.Content)
	}
	return bytes
}

func main() {
	rounds := flag.Int("n", 20, "rounds that count")
	flag.Parse()
	begin := time.Now()
	c, err := loader.Load(flag.Arg(0))
	fail(err)
	fail(chartutil.ProcessDependencies(c, map[string]any{}))
	bytes := render(c)
	first := time.Since(begin)
	for i := 0; i < 3; i++ {
		render(c)
	}
	times := make([]float64, *rounds)
	for i := range times {
		t := time.Now()
		render(c)
		times[i] = float64(time.Since(t).Microseconds()) / 1000
	}
	sort.Float64s(times)
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	fail(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"coldMs": float64(first.Microseconds()) / 1000, "warmMs": times[len(times)/2], "bytes": bytes, "rssMiB": usage.Maxrss / 1024,
	}))
}
