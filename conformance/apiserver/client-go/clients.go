package main

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
)

func (p *probe) lists(ctx context.Context) {
	maps := p.clients.CoreV1().ConfigMaps(p.namespace)
	for _, name := range []string{"page-1", "page-2", "page-3"} {
		_, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"page": "yes"}}}, metav1.CreateOptions{})
		check(err)
	}
	options := metav1.ListOptions{LabelSelector: "page", Limit: 2}
	for {
		list, err := maps.List(ctx, options)
		check(err)
		p.say("page", list)
		if options.Continue = list.Continue; options.Continue == "" {
			break
		}
	}
	byName, err := maps.List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=page-2"})
	check(err)
	p.say("by field", byName)
	nodes, err := p.clients.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	check(err)
	p.say("nodes", len(nodes.Items) > 0, nodes.Items[0].Status.Capacity.Cpu().IsZero())
	none, err := maps.List(ctx, metav1.ListOptions{ResourceVersion: "0", LabelSelector: "nobody=has"})
	check(err)
	p.say("empty", none)
}

// writes names managers in the order in which they write: entries of one second are sorted by name.
func (p *probe) writes(ctx context.Context) {
	maps := p.clients.CoreV1().ConfigMaps(p.namespace)
	made, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "written"}, Data: map[string]string{"a": "1"}}, metav1.CreateOptions{FieldManager: "a-creator"})
	check(err)
	stale := made.DeepCopy()
	made.Data["b"] = "2"
	updated, err := maps.Update(ctx, made, metav1.UpdateOptions{FieldManager: "b-updater"})
	p.say("update", updated, err)
	_, err = maps.Update(ctx, stale, metav1.UpdateOptions{})
	p.say("stale update", err)
	for _, one := range []struct {
		kind types.PatchType
		body string
	}{
		{types.StrategicMergePatchType, `{"data":{"c":"3","a":null}}`},
		{types.MergePatchType, `{"metadata":{"labels":{"x":"y"}}}`},
		{types.JSONPatchType, `[{"op":"test","path":"/data/c","value":"3"},{"op":"remove","path":"/data/c"}]`},
		{types.JSONPatchType, `[{"op":"test","path":"/data/c","value":"nope"}]`},
	} {
		patched, err := maps.Patch(ctx, "written", one.kind, []byte(one.body), metav1.PatchOptions{FieldManager: "c-patcher"})
		if err != nil {
			p.say("patch "+string(one.kind), err)
		} else {
			p.say("patch "+string(one.kind), patched)
		}
	}
	p.say("delete with a wrong uid", maps.Delete(ctx, "written", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: pointer(types.UID("wrong"))}}))
	p.say("delete", maps.Delete(ctx, "written", metav1.DeleteOptions{}))
}

func (p *probe) errors(ctx context.Context) {
	n := p.namespace
	_, err := p.clients.CoreV1().ConfigMaps(n).Get(ctx, "nope", metav1.GetOptions{})
	p.say("get nothing", err)
	_, err = p.clients.CoreV1().ConfigMaps(n).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "page-1"}}, metav1.CreateOptions{})
	p.say("create twice", err)
	_, err = p.clients.CoreV1().ConfigMaps(n).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "Not A Name"}}, metav1.CreateOptions{})
	p.say("bad name", err)
	_, err = p.clients.CoreV1().Pods(n).Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "bad"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "A"}}}}, metav1.CreateOptions{})
	p.say("bad pod", err)
	_, err = p.clients.CoreV1().ConfigMaps("missing").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}}, metav1.CreateOptions{})
	p.say("no namespace", err)
	_, err = p.clients.CoreV1().ConfigMaps(n).List(ctx, metav1.ListOptions{LabelSelector: "a in"})
	p.say("bad selector", err)
	_, err = p.clients.CoreV1().ConfigMaps(n).List(ctx, metav1.ListOptions{Continue: "nonsense"})
	p.say("bad continue", err)
	_, err = p.clients.CoreV1().ConfigMaps(n).Watch(ctx, metav1.ListOptions{ResourceVersion: "nonsense"})
	p.say("bad version", err)
	_, err = p.clients.CoreV1().ConfigMaps(n).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "other-namespace", Namespace: "default"}}, metav1.CreateOptions{})
	p.say("two namespaces", err)
	err = p.clients.CoreV1().RESTClient().Post().Namespace(n).Resource("configmaps").SetHeader("Content-Type", "application/vnd.kubernetes.protobuf").Body([]byte("k8s")).Do(ctx).Error()
	p.say("malformed protobuf", err)
	err = p.clients.CoreV1().RESTClient().Get().AbsPath("/api/v1/namespaces/" + n + "/nothings").Do(ctx).Error()
	p.say("no such resource", err)
}

func (p *probe) apply(ctx context.Context) {
	maps := p.clients.CoreV1().ConfigMaps(p.namespace)
	configuration := coreapply.ConfigMap("applied", p.namespace).WithData(map[string]string{"a": "1"}).WithLabels(map[string]string{"l": "m"})
	applied, err := maps.Apply(ctx, configuration, metav1.ApplyOptions{FieldManager: "one"})
	check(err)
	p.say("apply", applied)
	_, err = maps.Apply(ctx, coreapply.ConfigMap("applied", p.namespace).WithData(map[string]string{"a": "2"}), metav1.ApplyOptions{FieldManager: "two"})
	p.say("conflict", err)
	forced, err := maps.Apply(ctx, coreapply.ConfigMap("applied", p.namespace).WithData(map[string]string{"a": "2"}), metav1.ApplyOptions{FieldManager: "two", Force: true})
	check(err)
	p.say("forced", forced)
	extracted, err := coreapply.ExtractConfigMap(forced, "two")
	check(err)
	p.say("extract", extracted.Data)
	template := coreapply.PodTemplateSpec().WithLabels(map[string]string{"app": "applied"}).WithSpec(coreapply.PodSpec().WithContainers(coreapply.Container().WithName("c").WithImage("x:1").WithPorts(coreapply.ContainerPort().WithContainerPort(80))))
	workload := appsapply.Deployment("applied", p.namespace).WithSpec(appsapply.DeploymentSpec().WithReplicas(0).WithSelector(metaapply.LabelSelector().WithMatchLabels(map[string]string{"app": "applied"})).WithTemplate(template))
	dry, err := p.clients.AppsV1().Deployments(p.namespace).Apply(ctx, workload, metav1.ApplyOptions{FieldManager: "one", DryRun: []string{"All"}})
	check(err)
	p.say("apply a deployment", dry)
	p.say("removed", maps.Delete(ctx, "applied", metav1.DeleteOptions{}))
}

// informers follows ConfigMaps from before the first to after the last.
func (p *probe) informers(ctx context.Context) {
	stop := make(chan struct{})
	factory := informers.NewSharedInformerFactoryWithOptions(p.clients, 0, informers.WithNamespace(p.namespace))
	var lock sync.Mutex
	seen := []string{}
	note := func(what string, object any) {
		if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = tombstone.Obj
		}
		configMap := object.(*corev1.ConfigMap)
		if strings.HasPrefix(configMap.Name, "followed") {
			lock.Lock()
			seen = append(seen, fmt.Sprintf("%s %s %v", what, configMap.Name, configMap.Data))
			lock.Unlock()
		}
	}
	informer := factory.Core().V1().ConfigMaps().Informer()
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { note("added", object) },
		UpdateFunc: func(_, object any) { note("updated", object) },
		DeleteFunc: func(object any) { note("deleted", object) },
	})
	check(err)
	maps := p.clients.CoreV1().ConfigMaps(p.namespace)
	_, err = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "followed-0"}, Data: map[string]string{"i": "0"}}, metav1.CreateOptions{})
	check(err)
	factory.Start(stop)
	for kind, synced := range factory.WaitForCacheSync(stop) {
		p.say("synced", kind, synced)
	}
	count := func(wanted int) {
		until(ctx, fmt.Sprintf("%d events", wanted), func() bool { lock.Lock(); defer lock.Unlock(); return len(seen) >= wanted })
	}
	count(1)
	made, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "followed-1"}}, metav1.CreateOptions{})
	check(err)
	count(2)
	made.Data = map[string]string{"x": "y"}
	_, err = maps.Update(ctx, made, metav1.UpdateOptions{})
	check(err)
	count(3)
	check(maps.Delete(ctx, "followed-0", metav1.DeleteOptions{}))
	check(maps.Delete(ctx, "followed-1", metav1.DeleteOptions{}))
	count(5)
	close(stop)
	factory.Shutdown()
	p.say("informer", strings.Join(seen, "; "))
}

// watchList reads a list as a stream of events that a bookmark ends.
func (p *probe) watchList(ctx context.Context) {
	read := func(name string, watcher watch.Interface, err error) {
		check(err)
		defer watcher.Stop()
		for event := range watcher.ResultChan() {
			p.say(name+" "+string(event.Type), event.Object)
			if event.Type == watch.Bookmark || event.Type == watch.Error {
				return
			}
		}
	}
	options := metav1.ListOptions{SendInitialEvents: pointer(true), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, AllowWatchBookmarks: true, LabelSelector: "page"}
	watcher, err := p.clients.CoreV1().ConfigMaps(p.namespace).Watch(ctx, options)
	read("watch list", watcher, err)
	resource := schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	watcher, err = p.metadata.Resource(resource).Namespace(p.namespace).Watch(ctx, options)
	read("metadata watch list", watcher, err)
	watcher, err = p.dynamics.Resource(resource).Namespace(p.namespace).Watch(ctx, options)
	read("dynamic watch list", watcher, err)
}

func (p *probe) custom(ctx context.Context) {
	name := "probes." + p.namespace + ".example"
	group := p.namespace + ".example"
	properties := map[string]apiextensionsv1.JSONSchemaProps{
		"spec": {Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{
			"size": {Type: "integer", Format: "int32", Minimum: pointer(1.0), Default: &apiextensionsv1.JSON{Raw: []byte("3")}},
			"port": {XIntOrString: true},
			"map":  {Type: "object", AdditionalProperties: &apiextensionsv1.JSONSchemaPropsOrBool{Schema: &apiextensionsv1.JSONSchemaProps{Type: "string"}}},
			"list": {Type: "array", Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &apiextensionsv1.JSONSchemaProps{Type: "string"}}, XListType: pointer("set")},
			"any":  {Type: "object", XPreserveUnknownFields: pointer(true)},
		}, XValidations: apiextensionsv1.ValidationRules{{Rule: "self.size < 10", Message: "too large"}}},
		"status": {Type: "object", XPreserveUnknownFields: pointer(true)},
	}
	definition := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: apiextensionsv1.CustomResourceDefinitionSpec{
		Group: group, Scope: apiextensionsv1.NamespaceScoped, Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "probes", Kind: "Probe"},
		Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{Name: "v1", Served: true, Storage: true,
			Subresources: &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
			Schema:       &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", Properties: properties}}}},
	}}
	definitions := p.extensions.ApiextensionsV1().CustomResourceDefinitions()
	made, err := definitions.Create(ctx, definition, metav1.CreateOptions{})
	check(err)
	p.say("definition", made.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].XValidations, made.ManagedFields)
	resource := schema.GroupVersionResource{Group: group, Version: "v1", Resource: "probes"}
	probes := p.dynamics.Resource(resource).Namespace(p.namespace)
	one := &unstructured.Unstructured{Object: map[string]any{"apiVersion": group + "/v1", "kind": "Probe", "metadata": map[string]any{"name": "one"}, "spec": map[string]any{"port": "http", "any": map[string]any{"x": int64(9007199254740993)}}}}
	var created *unstructured.Unstructured
	until(ctx, "the custom resource", func() bool {
		created, err = probes.Create(ctx, one, metav1.CreateOptions{FieldManager: "probe"})
		return err == nil || !apierrors.IsNotFound(err)
	})
	check(err)
	p.say("custom", created)
	created.Object["status"] = map[string]any{"ready": true}
	status, err := probes.UpdateStatus(ctx, created, metav1.UpdateOptions{FieldManager: "prober"})
	check(err)
	p.say("custom status", status)
	one.SetName("two")
	one.Object["spec"] = map[string]any{"size": int64(11)}
	_, err = probes.Create(ctx, one, metav1.CreateOptions{})
	p.say("custom refused", err)
	factory := metadatainformer.NewFilteredSharedInformerFactory(p.metadata, 0, p.namespace, nil)
	lister := factory.ForResource(resource)
	stop := make(chan struct{})
	factory.Start(stop)
	p.say("metadata informer", factory.WaitForCacheSync(stop)[resource])
	objects := lister.Informer().GetStore().List()
	for _, object := range objects {
		p.say("partial", object)
	}
	close(stop)
	factory.Shutdown()
	check(probes.Delete(ctx, "one", metav1.DeleteOptions{}))
	p.say("definition removed", definitions.Delete(ctx, name, metav1.DeleteOptions{}))
	until(ctx, "the end of the definition", func() bool {
		_, err := definitions.Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

func (p *probe) discovery(context.Context) {
	_, lists, err := p.clients.Discovery().ServerGroupsAndResources()
	check(err)
	lines := []string{}
	for _, list := range lists {
		if strings.Contains(list.GroupVersion, "example") || strings.Contains(list.GroupVersion, "metrics.k8s.io") {
			continue
		}
		for _, one := range list.APIResources {
			lines = append(lines, fmt.Sprintf("%s %s %s %v %v %v %v", list.GroupVersion, one.Name, one.Kind, one.Namespaced, one.Verbs, one.ShortNames, one.Categories))
		}
	}
	sort.Strings(lines)
	for _, line := range lines {
		p.say("resource", line)
	}
	version, err := p.clients.Discovery().ServerVersion()
	check(err)
	p.say("version", version.Major, version.Minor)
	legacy, err := p.clients.Discovery().ServerResourcesForGroupVersion("apps/v1")
	check(err)
	p.say("legacy", legacy)
	paths, err := p.clients.Discovery().OpenAPIV3().Paths()
	check(err)
	p.say("openapi", paths["apis/apps/v1"] != nil, paths["api/v1"] != nil)
}

func (p *probe) reviews(ctx context.Context) {
	self, err := p.clients.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: p.namespace, Verb: "get", Resource: "pods"}}}, metav1.CreateOptions{})
	check(err)
	p.say("self access", self.Status.Allowed)
	account := "system:serviceaccount:" + p.namespace + ":default"
	review, err := p.clients.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: account, ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: p.namespace, Verb: "delete", Resource: "pods"}}}, metav1.CreateOptions{})
	check(err)
	p.say("access", review)
	token, err := p.clients.CoreV1().ServiceAccounts(p.namespace).CreateToken(ctx, "default", &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: pointer(int64(3600))}}, metav1.CreateOptions{})
	check(err)
	who, err := p.clients.AuthenticationV1().TokenReviews().Create(ctx, &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token.Status.Token}}, metav1.CreateOptions{})
	check(err)
	p.say("token", who.Status.Authenticated, who.Status.User.Username, who.Status.User.Groups)
	me, err := p.clients.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	check(err)
	p.say("self", strings.Contains(fmt.Sprint(me.Status.UserInfo.Groups), "system:masters"))
}
