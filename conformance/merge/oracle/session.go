package main

import (
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

type sessions struct {
	builtIn managedfields.TypeConverter
	custom  map[string]managedfields.TypeConverter
}

func newSessions() *sessions {
	return &sessions{
		builtIn: applyconfigurations.NewTypeConverter(scheme.Scheme),
		custom:  map[string]managedfields.TypeConverter{},
	}
}

// typed makes objects of built-in kinds pass through their Go types, as the API server does.
type typed struct{}

func (typed) ConvertToVersion(in runtime.Object, gv runtime.GroupVersioner) (runtime.Object, error) {
	u, ok := in.(*unstructured.Unstructured)
	if !ok {
		return in, nil
	}
	gvk := u.GroupVersionKind()
	out, err := scheme.Scheme.New(gvk)
	if err != nil {
		return nil, err
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, out); err != nil {
		return nil, err
	}
	out.GetObjectKind().SetGroupVersionKind(gvk)
	return out, nil
}
func (typed) Convert(in, out, context interface{}) error { return fmt.Errorf("not supported") }
func (typed) ConvertFieldLabel(gvk schema.GroupVersionKind, l, v string) (string, string, error) {
	return l, v, nil
}
func (typed) Default(runtime.Object) {}
func (typed) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	out, err := scheme.Scheme.New(kind)
	if err == nil {
		out.GetObjectKind().SetGroupVersionKind(kind)
	}
	return out, err
}

// untyped keeps custom resources as they are.
type untyped struct{ typed }

func (untyped) ConvertToVersion(in runtime.Object, gv runtime.GroupVersioner) (runtime.Object, error) {
	u := in.(*unstructured.Unstructured)
	target, ok := gv.KindForGroupVersionKinds([]schema.GroupVersionKind{u.GroupVersionKind()})
	if !ok {
		target = gv.(schema.GroupVersion).WithKind(u.GetKind())
	}
	if target.Version == u.GroupVersionKind().Version {
		return in, nil
	}
	if target.Version != "v1" && target.Version != "v2" {
		return nil, runtime.NewNotRegisteredErrForKind("conformance", target)
	}
	out := u.DeepCopy()
	rename(out, u.GroupVersionKind().Version, target.Version)
	out.SetGroupVersionKind(target)
	return out, nil
}
func (untyped) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	u := &unstructured.Unstructured{Object: map[string]interface{}{}}
	u.SetGroupVersionKind(kind)
	return u, nil
}

// rename is the conversion of the test's own kinds: spec.size of v1 is spec.length of v2.
func rename(u *unstructured.Unstructured, from, to string) {
	names := map[string]string{"v1": "size", "v2": "length"}
	spec, ok := u.Object["spec"].(map[string]interface{})
	if !ok {
		return
	}
	if value, ok := spec[names[from]]; ok {
		delete(spec, names[from])
		spec[names[to]] = value
	}
}

func (s *sessions) run(r request) answer {
	gvk := schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind}
	var live runtime.Object
	var out answer
	for _, st := range r.Steps {
		stepKind := gvk
		var head struct {
			APIVersion string `json:"apiVersion"`
		}
		if err := json.Unmarshal(st.Object, &head); err == nil && head.APIVersion != "" {
			if gv, err := schema.ParseGroupVersion(head.APIVersion); err == nil && gv.Group == gvk.Group {
				stepKind.Version = gv.Version
			}
		}
		manager, isTyped, err := s.manager(r, stepKind, st.Subresource)
		if err != nil {
			return answer{Error: err.Error()}
		}
		next, err := perform(manager, st, stepKind, live, isTyped)
		if err != nil {
			text, causes := errorText(err)
			out.Steps = append(out.Steps, stepAnswer{Error: text, Causes: causes})
			continue
		}
		setTimes(live, next, st.Time)
		b, err := json.Marshal(next)
		if err != nil {
			return answer{Error: err.Error()}
		}
		out.Steps = append(out.Steps, stepAnswer{Object: b})
		// As storage does: what is not encoded is gone.
		if live, err = decode(b, isTyped); err != nil {
			return answer{Error: err.Error()}
		}
	}
	return out
}

func decode(b []byte, isTyped bool) (runtime.Object, error) {
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(b, &u.Object); err != nil {
		return nil, err
	}
	fixNumbers(u.Object)
	if isTyped {
		return typed{}.ConvertToVersion(u, nil)
	}
	return u, nil
}

func (s *sessions) manager(r request, gvk schema.GroupVersionKind, subresource string) (*managedfields.FieldManager, bool, error) {
	if len(r.Models) == 0 {
		m, err := managedfields.NewDefaultFieldManager(s.builtIn, typed{}, typed{}, typed{}, gvk, gvk.GroupVersion(), subresource, nil)
		return m, true, err
	}
	key := r.Group + "/" + r.Kind
	converter, ok := s.custom[key]
	if !ok {
		models := map[string]*spec.Schema{}
		for name, raw := range r.Models {
			model := &spec.Schema{}
			if err := json.Unmarshal(raw, model); err != nil {
				return nil, false, err
			}
			models[name] = model
		}
		var err error
		if converter, err = managedfields.NewTypeConverter(models, false); err != nil {
			return nil, false, err
		}
		s.custom[key] = converter
	}
	reset := map[fieldpath.APIVersion]fieldpath.Filter{}
	m, err := managedfields.NewDefaultCRDFieldManager(converter, untyped{}, typed{}, untyped{}, gvk, schema.GroupVersion{Group: gvk.Group, Version: "v1"}, subresource, reset)
	return m, false, err
}

func perform(m *managedfields.FieldManager, st step, gvk schema.GroupVersionKind, live runtime.Object, isTyped bool) (runtime.Object, error) {
	given := &unstructured.Unstructured{}
	if err := json.Unmarshal(st.Object, &given.Object); err != nil {
		return nil, err
	}
	fixNumbers(given.Object)
	current := live
	if current == nil {
		var err error
		if isTyped {
			current, err = typed{}.New(gvk)
		} else {
			current, err = untyped{}.New(gvk)
		}
		if err != nil {
			return nil, err
		}
	} else if !isTyped {
		converted, err := untyped{}.ConvertToVersion(current, gvk.GroupVersion())
		if err != nil {
			return nil, err
		}
		current = converted
	}
	current = current.DeepCopyObject()
	if st.Op == "apply" {
		return m.Apply(current, given, st.Manager, st.Force)
	}
	var next runtime.Object = given
	if isTyped {
		var err error
		if next, err = (typed{}).ConvertToVersion(given, nil); err != nil {
			return nil, err
		}
	}
	return m.UpdateNoErrors(current, next, st.Manager), nil
}

// fixNumbers makes whole numbers int64, as Kubernetes' own decoder does.
func fixNumbers(v interface{}) interface{} {
	switch v := v.(type) {
	case map[string]interface{}:
		for k, item := range v {
			v[k] = fixNumbers(item)
		}
	case []interface{}:
		for i, item := range v {
			v[i] = fixNumbers(item)
		}
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	}
	return v
}

// setTimes replaces the times that this step has set by the time that the test gives, so that answers can be repeated.
func setTimes(before, after runtime.Object, at string) {
	known := map[int64]bool{}
	if before != nil {
		if accessor, err := meta.Accessor(before); err == nil {
			for _, entry := range accessor.GetManagedFields() {
				if entry.Time != nil {
					known[entry.Time.Unix()] = true
				}
			}
		}
	}
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return
	}
	accessor, err := meta.Accessor(after)
	if err != nil {
		return
	}
	entries := accessor.GetManagedFields()
	for i := range entries {
		if entries[i].Time != nil && !known[entries[i].Time.Unix()] {
			entries[i].Time = &metav1.Time{Time: t.UTC()}
		}
	}
	accessor.SetManagedFields(entries)
}

// bench counts how many times a second the last step can be applied to what the steps before it lead to.
func (s *sessions) bench(r request) answer {
	last := r.Steps[len(r.Steps)-1]
	gvk := schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind}
	manager, isTyped, err := s.manager(r, gvk, "")
	if err != nil {
		return answer{Error: err.Error()}
	}
	var live runtime.Object
	for _, st := range r.Steps[:len(r.Steps)-1] {
		if live, err = perform(manager, st, gvk, live, isTyped); err != nil {
			return answer{Error: err.Error()}
		}
	}
	if live == nil {
		live, _ = typed{}.New(gvk)
	}
	given := &unstructured.Unstructured{}
	if err := json.Unmarshal(last.Object, &given.Object); err != nil {
		return answer{Error: err.Error()}
	}
	fixNumbers(given.Object)
	best := 0.0
	for round := 0; round < 5; round++ {
		start, count := time.Now(), 0
		for time.Since(start) < 200*time.Millisecond {
			if _, err := manager.Apply(live.DeepCopyObject(), given.DeepCopy(), last.Manager, true); err != nil {
				return answer{Error: err.Error()}
			}
			count++
		}
		best = max(best, float64(count)/time.Since(start).Seconds())
	}
	b, _ := json.Marshal(int(best))
	return answer{Result: b}
}
