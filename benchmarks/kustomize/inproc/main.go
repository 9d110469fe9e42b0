// Builds kustomizations with the official Go library in one process, as a controller that links it does: each build
// starts from nothing. Prints the time of each round in milliseconds, one line a round; the first round is cold.
//
// usage: inproc ROUNDS DIR...
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func build(dir string) int {
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified
	resources, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, dir, err)
		os.Exit(1)
	}
	text, err := resources.AsYaml()
	if err != nil {
		fmt.Fprintln(os.Stderr, dir, err)
		os.Exit(1)
	}
	return len(text)
}

func main() {
	rounds, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	for i := 0; i < rounds; i++ {
		start, bytes := time.Now(), 0
		for _, dir := range os.Args[2:] {
			bytes += build(dir)
		}
		fmt.Printf("%.3f %d\n", float64(time.Since(start).Microseconds())/1000, bytes)
	}
}
