package main

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func pointer[T any](value T) *T { return &value }

func named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": name}, Annotations: map[string]string{"note": "ünïcode ✓"}}
}

func (p *probe) makeNamespace(ctx context.Context) {
	made, err := p.clients.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.namespace}}, metav1.CreateOptions{})
	check(err)
	p.say("namespace", made)
	until(ctx, "the default service account", func() bool {
		_, err := p.clients.CoreV1().ServiceAccounts(p.namespace).Get(ctx, "default", metav1.GetOptions{})
		return err == nil
	})
}

func podTemplate() corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: pointer(int64(0)),
			SecurityContext:               &corev1.PodSecurityContext{RunAsUser: pointer(int64(0)), SupplementalGroups: []int64{1, 2000}},
			InitContainers:                []corev1.Container{{Name: "init", Image: "registry.example/init:1", Command: []string{"true"}}},
			Containers: []corev1.Container{{
				Name: "web", Image: "registry.example/web:1", Args: []string{"", "--x=1"},
				Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 80}},
				Env: []corev1.EnvVar{
					{Name: "A", Value: ""},
					{Name: "B", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}, Key: "a", Optional: pointer(false)}}},
					{Name: "C", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
				},
				EnvFrom: []corev1.EnvFromSource{{Prefix: "P_", SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Optional: pointer(true)}}},
				Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{"cpu": resource.MustParse("10m"), "memory": resource.MustParse("16Mi")},
					Limits:   corev1.ResourceList{"memory": resource.MustParse("0.5Gi")},
				},
				LivenessProbe:  &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromString("http")}}, PeriodSeconds: 7},
				ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(80)}}},
				VolumeMounts:   []corev1.VolumeMount{{Name: "empty", MountPath: "/empty"}, {Name: "all", MountPath: "/all", ReadOnly: true}},
			}},
			Volumes: []corev1.Volume{
				{Name: "empty", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
				{Name: "all", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{DefaultMode: pointer(int32(0)), Sources: []corev1.VolumeProjection{
					{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}, Items: []corev1.KeyToPath{{Key: "a", Path: "b"}}}},
				}}}},
			},
			Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
			Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{
				{Weight: 1, Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "zone", Operator: corev1.NodeSelectorOpIn, Values: []string{"a", "b"}}}}},
			}}},
		},
	}
}

func deployment(replicas int32) *appsv1.Deployment {
	return &appsv1.Deployment{ObjectMeta: named("web"), Spec: appsv1.DeploymentSpec{
		Replicas: pointer(replicas),
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
		Template: podTemplate(),
		Strategy: appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: pointer(intstr.FromString("50%")), MaxUnavailable: pointer(intstr.FromInt32(0))}},
	}}
}

// kinds creates one object of many kinds, and prints what the server made of them.
func (p *probe) kinds(ctx context.Context) {
	options := metav1.CreateOptions{FieldManager: "probe"}
	n := p.namespace
	say := func(name string, object any, err error) {
		if err != nil {
			p.say("create "+name, err)
			return
		}
		p.say("create "+name, object)
	}
	configMap, err := p.clients.CoreV1().ConfigMaps(n).Create(ctx, &corev1.ConfigMap{ObjectMeta: named("settings"), Data: map[string]string{"a": "1", "empty": ""}, BinaryData: map[string][]byte{"z": {0, 1, 255}}, Immutable: pointer(false)}, options)
	say("configmap", configMap, err)
	secret, err := p.clients.CoreV1().Secrets(n).Create(ctx, &corev1.Secret{ObjectMeta: named("s"), Data: map[string][]byte{"k": {0xff, 0}, "none": {}}, StringData: map[string]string{"t": "x"}}, options)
	say("secret", secret, err)
	service, err := p.clients.CoreV1().Services(n).Create(ctx, &corev1.Service{ObjectMeta: named("web"), Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("http")}}}}, options)
	say("service", service, err)
	ingress, err := p.clients.NetworkingV1().Ingresses(n).Create(ctx, &networkingv1.Ingress{ObjectMeta: named("web"), Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{Host: "a.example", IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: pointer(networkingv1.PathTypePrefix), Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}}}}}}}}}}}, options)
	say("ingress", ingress, err)
	policy, err := p.clients.NetworkingV1().NetworkPolicies(n).Create(ctx, &networkingv1.NetworkPolicy{ObjectMeta: named("np"), Spec: networkingv1.NetworkPolicySpec{PodSelector: metav1.LabelSelector{}, Ingress: []networkingv1.NetworkPolicyIngressRule{{}}}}, options)
	say("networkpolicy", policy, err)
	budget, err := p.clients.PolicyV1().PodDisruptionBudgets(n).Create(ctx, &policyv1.PodDisruptionBudget{ObjectMeta: named("pdb"), Spec: policyv1.PodDisruptionBudgetSpec{MaxUnavailable: pointer(intstr.FromInt32(0)), Selector: &metav1.LabelSelector{}}}, options)
	say("poddisruptionbudget", budget, err)
	scaler, err := p.clients.AutoscalingV2().HorizontalPodAutoscalers(n).Create(ctx, &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: named("hpa"), Spec: autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 3, ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "nothing"}}}, options)
	say("horizontalpodautoscaler", scaler, err)
	cronJob, err := p.clients.BatchV1().CronJobs(n).Create(ctx, &batchv1.CronJob{ObjectMeta: named("cj"), Spec: batchv1.CronJobSpec{Schedule: "0 0 1 1 *", Suspend: pointer(true), JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "c", Image: "x"}}}}}}}}, options)
	say("cronjob", cronJob, err)
	claim, err := p.clients.CoreV1().PersistentVolumeClaims(n).Create(ctx, &corev1.PersistentVolumeClaim{ObjectMeta: named("pvc"), Spec: corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: pointer("none"), Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{"storage": resource.MustParse("1Gi")}}}}, options)
	say("persistentvolumeclaim", claim, err)
	role, err := p.clients.RbacV1().Roles(n).Create(ctx, &rbacv1.Role{ObjectMeta: named("r"), Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get"}}}}, options)
	say("role", role, err)
	binding, err := p.clients.RbacV1().RoleBindings(n).Create(ctx, &rbacv1.RoleBinding{ObjectMeta: named("rb"), RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "r"}, Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "default", Namespace: n}}}, options)
	say("rolebinding", binding, err)
	class, err := p.clients.SchedulingV1().PriorityClasses().Create(ctx, &schedulingv1.PriorityClass{ObjectMeta: named(n), Value: 5}, options)
	say("priorityclass", class, err)
	storage, err := p.clients.StorageV1().StorageClasses().Create(ctx, &storagev1.StorageClass{ObjectMeta: named(n), Provisioner: "example.com/p", Parameters: map[string]string{"b": "2", "a": "1"}}, options)
	say("storageclass", storage, err)
	volume, err := p.clients.CoreV1().PersistentVolumes().Create(ctx, &corev1.PersistentVolume{ObjectMeta: named(n), Spec: corev1.PersistentVolumeSpec{Capacity: corev1.ResourceList{"storage": resource.MustParse("1Gi")}, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}, StorageClassName: "other", PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/x"}}}}, options)
	say("persistentvolume", volume, err)
	dry, err := p.clients.AppsV1().Deployments(n).Create(ctx, deployment(2), metav1.CreateOptions{DryRun: []string{"All"}, FieldManager: "probe"})
	say("deployment", dry, err)
	generated, err := p.clients.CoreV1().ConfigMaps(n).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "generated-"}}, options)
	say("generated", generated, err)
	for _, remove := range []error{
		p.clients.SchedulingV1().PriorityClasses().Delete(ctx, n, metav1.DeleteOptions{}),
		p.clients.StorageV1().StorageClasses().Delete(ctx, n, metav1.DeleteOptions{}),
		p.clients.CoreV1().PersistentVolumes().Delete(ctx, n, metav1.DeleteOptions{}),
		p.clients.CoreV1().ConfigMaps(n).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "!app,app notin (x)", FieldSelector: "metadata.name!=kube-root-ca.crt"}),
	} {
		p.say("remove", remove)
	}
}
