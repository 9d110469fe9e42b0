/** Kinds of clusters, networks, certificates, clouds and the base system. Keys: `group/Kind,Kind`; `*` is any text. */
export const PLATFORM_RULES: { readonly [kinds: string]: string } = {
  'apiextensions.k8s.io/CustomResourceDefinition': String.raw`
    if .metadata.deletionTimestamp != null then P("CRD is terminating")
    elif (.status.conditions // []) == [] then P("Status conditions not found")
    else first((conds | if on("Terminating") then P("CRD is terminating: \(.message)")
        elif off("NamesAccepted") then D("CRD names have not been accepted: \(.message)")
        elif on("NonStructuralSchema") then D("Schema violations found: \(.message)")
        elif .type != "Established" or .status == "True" then empty
        elif .reason == "InvalidCABundle" then D("CRD is not established: \(.message)")
        elif .reason == "Installing" then P("CRD is being installed") else empty end),
      (if any(conds; on("Established")) then H("CRD is healthy") else P("CRD is not established") end)) end`,
  'batch/CronJob': `
    .status as $s | if .spec.suspend == true then H("CronJob is Suspended") elif $s == null then P("Waiting for CronJob")
    elif $s.lastScheduleTime == null then H("CronJob has not been scheduled yet")
    elif $s.lastSuccessfulTime == null then H("The CronJob never completed successfully. It may not be healthy")
    elif ($s.active // [] | length) > 0 then H("The job is running. Its last execution may not have been successful")
    elif $s.lastSuccessfulTime < $s.lastScheduleTime then D("CronJob has not completed its last execution successfully")
    else H("CronJob has completed its last execution successfully") end`,
  'policy/PodDisruptionBudget': String.raw`
    (conds | select(.status == "False" and .reason != "InsufficientPods") | D("PodDisruptionBudget has \(.reason)")),
    ([conds] | if length > 0 then .[-1] | H("PodDisruptionBudget has \(.reason)") else empty end), P("Waiting for status")`,
  'snapshot.storage.k8s.io/VolumeSnapshot,VolumeSnapshotContent': `
    if .status.readyToUse == true then H("Ready to use") elif .status.error != null then D(.status.error.message) else P("Waiting for status") end`,
  'cert-manager.io/Certificate': `(conds | select(on("Issuing")) | P(.message)), ready("Ready"; "Waiting for certificate")`,
  'cert-manager.io/ClusterIssuer': `ready("Ready"; "Initializing ClusterIssuer")`,
  'cert-manager.io/Issuer': `ready("Ready"; "Initializing issuer")`,
  'certmanager.k8s.io/Certificate': `ready("Ready"; "Waiting for certificate")`,
  'certmanager.k8s.io/Issuer': `ready("Ready"; "Initializing issuer")`,
  'external-secrets.io/ClusterSecretStore,ExternalSecret,PushSecret,SecretStore': String.raw`ready("Ready"; "Waiting for \(.kind)")`,
  'external-secrets.io/ClusterExternalSecret': `
    ([conds] | last // {} | if on("Ready") then H(.message) elif on("PartiallyReady") or on("NotReady") then D(.message) else empty end),
    P("Waiting for ClusterExternalSecret")`,
  'kubernetes-client.io/ExternalSecret': `
    .status.status // "" | if . == "SUCCESS" then H("Fetched ExternalSecret.") elif startswith("ERROR") then D(gsub("ERROR, "; "")) else P("Waiting for ExternalSecret.") end`,
  'bitnami.com/SealedSecret': `
    (select(.metadata.generation == null or .status.observedGeneration != .metadata.generation) | P("Waiting for Sealed Secret to be decrypted")),
    ready("Synced"; "Waiting for Sealed Secret to be decrypted")`,
  'onepassword.com/OnePasswordItem': `ready("Ready"; "Waiting for controller to report status")`,
  'camel.apache.org/Integration': `ready("Ready"; "Waiting for Integration")`,
  'karpenter.k8s.aws/EC2NodeClass': `either("Ready"; H("EC2NodeClass is ready"); D(.message)), P("Waiting for EC2NodeClass to be ready")`,
  'karpenter.sh/NodePool': `ready("Ready"; "Waiting for NodePool to be ready")`,
  'karpenter.sh/NodeClaim': `
    (select(observed | not) | P("Waiting for NodeClaim spec to be reconciled")),
    (conds | select(on("Disrupting")) | S(.message)), either("Ready"; H(.message); D(.message)),
    (conds | select(on("Initialized")) | P("Node initialized, waiting for Ready")),
    (conds | select(on("Registered")) | P("Node registered, waiting for initialization")),
    (conds | select(on("Launched")) | P("Node launched, waiting for registration")), P("Waiting for NodeClaim to be launched")`,
  'keda.sh/ScaledJob': `keda(.type == "Ready" and (.status == "False" or .status == "Unknown"); "Waiting for ScaledJob")`,
  'keda.sh/ScaledObject': `keda(off("Ready") or on("Fallback"); "Creating HorizontalPodAutoscaler Object")`,
  'gateway.networking.k8s.io/BackendTLSPolicy': String.raw`
    .metadata.generation as $g
    | (select($g != null) | (.status.ancestors // [])[] | select(any(.conditions[]; .observedGeneration != null and .observedGeneration != $g))
      | P("Waiting for Ancestor \(.ancestorRef.name // "") to update BackendTLSPolicy status")),
    ((.status.ancestors // [])[] | . as $a | .conditions[] | select((.type == "Accepted" or .type == "ResolvedRefs") and .status != "True")
      | D("Ancestor \($a.ancestorRef.name // ""): \(.message)")),
    (if any((.status.ancestors // [])[].conditions[]; .type == "Accepted") then H("BackendTLSPolicy is healthy") else empty end),
    P("Waiting for BackendTLSPolicy status")`,
  'gateway.networking.k8s.io/GRPCRoute': String.raw`
    .metadata.generation as $g | [(.status.parents // [])[] | select(seenAt($g))] as $all
    | ($all[] | "Parent \(.parentRef.name // ""): " as $p | route($p; "Route is still being programmed")),
    (if any($all[]; (.conditions // []) != []) then H("GRPCRoute is healthy") else empty end), P("Waiting for GRPCRoute status")`,
  'gateway.networking.k8s.io/HTTPRoute': String.raw`
    .metadata.generation as $g | [(.status.parents // [])[] | select(.conditions != null and ($g == null or
      (.conditions != [] and all(.conditions[]; .observedGeneration == null or .observedGeneration == $g))))] as $parents
    | ($parents[] | "Parent \(.parentRef.name // ""): " as $p | route($p; "Route is still being programmed")),
    (if any($parents[]; .conditions != []) then H("HTTPRoute is healthy") else empty end), P("Waiting for HTTPRoute status")`,
  'gateway.networking.k8s.io/Gateway': `
    (select(.status.conditions != null) | .status | route(""; "Gateway is still being programmed")),
    ((.status.listeners // [])[] | select(.conditions != null) | route("Listener: "; "Listener is still being programmed")),
    (if .status.conditions != null or (.status.listeners // []) != [] then H("Gateway is healthy") else empty end), P("Waiting for Gateway status")`,
  'gateway.networking.k8s.io/GatewayClass': `
    .metadata.generation as $g | (conds | select(.type == "Accepted" and ($g == null or .observedGeneration == null or .observedGeneration == $g))
      | if .status == "True" then H(.message // "GatewayClass is accepted") elif .status == "False" then D(.message // "GatewayClass is not accepted")
        else P(.message // "Waiting for GatewayClass status") end), P("Waiting for GatewayClass status")`,
  'gateway.solo.io/Gateway,MatchableHttpGateway,RouteOption,RouteTable,VirtualHostOption,VirtualService': `gloo`,
  'gloo.solo.io/Proxy,Settings,Upstream,UpstreamGroup': `gloo`,
  'microgateway.airlock.com/*': String.raw`
    .kind as $k | .metadata.generation as $g | .status.ancestors as $all
    | (select($k | endswith("Policy") | not) | H("\($k) is healthy")),
    (select($g != null) | ($all // [])[] | select(any(.conditions[]; .observedGeneration != $g)) | P("Waiting for Ancestor \(.ancestorRef.name // "") to update \($k) status")),
    (($all // [])[] | . as $a | first((.conditions[] | select((.type == "Accepted" or .type == "ResolvedRefs") and .status != "True") | D("Ancestor \($a.ancestorRef.name // ""): \(.message)")),
      (if any(.conditions[]; .type == "Accepted") then empty else D("Ancestor \($a.ancestorRef.name // ""): \($k) is not accepted") end))),
    (if ($all // []) != [] then H("\($k) is healthy") else P("Waiting for \($k) status") end)`,
  'projectcontour.io/ExtensionService': `
    .metadata.generation as $g | (conds | select(.observedGeneration == $g) | if on("Valid") then H(.message) elif off("Valid") then D(.message) else empty end), P("Waiting for status")`,
  'projectcontour.io/HTTPProxy': `
    . as $o | [conds | select(.observedGeneration == $o.metadata.generation)] as $c
    | first(($c[] | select(on("Valid")) | H($o.status.description)),
      ($c | map(select(.status == "False" and ($o.spec.includes != null or .type == "Valid"))) | select(length > 0)
        | if $o.spec.includes != null then H("HTTPProxy inclusions cannot be health checked") else D($o.status.description) end),
      (select(.status.conditions == null and (.status.currentStatus // false)) | P(.status.description)), P("Waiting for status"))`,
  'networking.gke.io/ManagedCertificate': `
    if any((.status.domainStatus // [])[]; .status == "FailedNotVisible") then D("At least one certificate has failed to be provisioned")
    elif .status.certificateStatus == "Active" then H("All certificates are active") else P("At least one certificate is still being provisioned") end`,
  'nmstate.io/NodeNetworkConfigurationPolicy': String.raw`
    (conds | select(.status == "True") | (if (.message // "") != "" then "\(.reason): \(.message)" else .reason end) as $m
      | if .type == "Available" then H($m) elif .type == "Degraded" then D($m) elif .type == "Progressing" then P($m) elif .type == "Ignored" then S($m) else empty end),
    P("Waiting for policy to be applied")`,
  'install.istio.io/IstioOperator': `
    .status.status | if . == 0 or . == "NONE" then U("Component is not present.") elif . == 1 or . == "UPDATING" then P("Component is being updated to a different version.")
    elif . == 2 or . == "RECONCILING" then P("Controller has started but not yet completed reconciliation loop for the component.")
    elif . == 3 or . == "HEALTHY" then H("Component is healthy.") elif . == 4 or . == "ERROR" then D("Component is in an error state.") else P("Waiting for Istio Control Plane") end`,
  'kiali.io/Kiali': `
    (conds | if on("Successful") then H(.message) elif on("Failure") then D(.message) elif .type == "Running" and .reason == "Running" then P(.message) else empty end), P("Waiting for Kiali")`,
  'jaegertracing.io/Jaeger': `.status.phase | if . == "Running" then H("Jaeger is Running") elif . == "Failed" then D("Jaeger Failed For Some Reason") else P("Waiting for Jaeger") end`,
  'monitoring.coreos.com/Alertmanager,Prometheus,ThanosRuler': `
    [conds | select(.type == "Available")] | last | if . == null then P("Waiting for initialization") elif .status == "True" then H("All instances are available")
    elif .reason == "SomePodsNotReady" then P(.message // .reason) else D(.message // .reason) end`,
  'opentelemetry.io/OpenTelemetryCollector': String.raw`
    .spec.mode as $mode | if .status == null then P("Waiting for OpenTelemetry Collector status")
    elif .status.scale.statusReplicas == null then if $mode == "sidecar" then H("Collector is running in sidecar mode") else P("Scale status not available") end
    else .status.scale.statusReplicas | tostring | . as $t | first((capture("(?<a>[0-9]+)/(?<b>[0-9]+)") | if (.a | tonumber) == 0 then if $mode == "daemonset" and (.b | tonumber) == 0 then H("DaemonSet has no eligible nodes (0/0)") else D("No replicas are ready") end
      elif (.a | tonumber) == (.b | tonumber) then H("All replicas are ready") else P("Replicas are starting up") end), P("Unable to parse replica status: \($t)")) end`,
  'datadoghq.com/DatadogMetric': String.raw`
    (conds | select(on("Error")) | (.message // "DatadogMetric reported an error") as $m | D(if (.reason // "") != "" then "\(.reason): \($m)" else $m end)),
    (conds | select(off("Valid")) | D(.message // "DatadogMetric is not valid")), H("DatadogMetric is healthy")`,
  'coralogix.com/Alert,RecordingRuleGroupSet': `either("RemoteSynced"; H("Resource is ready"); D(.message)), P("Waiting for status to be updated")`,
  'grafana-org-operator.kubitus-project.gitlab.io/*': `
    (conds | select(.type == "Ready") | if .status == "False" then D(.message) elif .status == "True" then H(.message) else P(.message) end), P("Waiting ...")`,
  'grafana.integreatly.org/Grafana': String.raw`
    .status | if .stageStatus == null then P("Waiting for Grafana status info") elif .stageStatus == "failed" then D("Failed at stage \(.stage)")
    elif .stage == "complete" and .stageStatus == "success" then H("") else P(.stage) end`,
  'grafana.integreatly.org/GrafanaDashboard,GrafanaFolder': String.raw`
    first(foreach (conds, null) as $c ({status: "Progressing", parts: [], done: false};
      if $c == null then .done = true elif $c.status == null then . else
        .parts += [($c.reason // "") + (if $c.reason != null and $c.type != null then " for \($c.type)" + (if $c.message != null then " because \($c.message)" else "" end) else "" end)]
        | if $c.status == (if $c.type == "FolderUIDMismatch" then "True" else "False" end) then .status = "Degraded" | .done = true elif $c.status == "True" then .status = "Healthy" else . end end;
      select(.done)) | {status, message: (.parts | join(", "))})`,
  'grafana.integreatly.org/GrafanaDatasource': `
    .status | if . == null or .uid == "" then P("") elif .NoMatchingInstances == true then D("can't find matching grafana instance") else H("") end`,
  'operator.victoriametrics.com/*': `
    .status as $s | ($s.reason // "") as $r | def or_($m): if $r != "" then $r else $m end;
    if $s == null or (observed | not) then P("Waiting for the operator to reconcile") elif $s.updateStatus == "operational" then H("All components are operational")
    elif $s.updateStatus == "ignored" then H("Resource was not picked by any parent object") elif $s.updateStatus == "expanding" then P(or_("Reconciliation in progress")) elif $s.updateStatus == "paused" then S(or_("Reconciliation is paused"))
    elif $s.updateStatus == "failed" then D(or_("Reconciliation failed")) else P("Waiting for the operator to report status") end`,
  'addons.cluster.x-k8s.io/ClusterResourceSet': `
    either("ResourcesApplied"; H("cluster resource set is applied"); D(.message)), P("Initializing cluster resource set")`,
  'cluster.x-k8s.io/Cluster': `
    (select(.spec.paused == true) | S("Cluster is paused")), (conds | select(off("Ready") and .severity != "Info") | D(.message)),
    (.status.phase | if . == "Provisioned" then H("Cluster is running") elif . == "Failed" then D("") else P("Waiting for clusters") end)`,
  'cluster.x-k8s.io/Machine': `
    .status.phase as $p | (first(conds | select(off("Ready")) | .message) // "Condition is unknown") as $m
    | if $p == "Running" then H("Machine is running") elif $p == "Failed" then D($m) else P($m) end`,
  'cluster.x-k8s.io/MachineDeployment': `
    .status.phase as $p | if .spec.paused == true then S("MachineDeployment is paused") elif $p == "Running" then H("Machines are running under this deployment")
    elif $p == "ScalingUp" then P("Cluster is spawning machines") elif $p == "ScalingDown" then P("Cluster is stopping machines")
    elif $p == "Failed" then D("MachineDeployment is failed") else P("Waiting for machines") end`,
  'cluster.x-k8s.io/MachineHealthCheck': `
    .status | if .currentHealthy == null then P("") elif .expectedMachines == .currentHealthy then H("") else D("") end`,
  'cluster.x-k8s.io/MachinePool': String.raw`
    .status.phase as $p | ([conds | select(.type != null and .status == "False") | "Not \(.type)" + (if .reason != null then " (\(.reason))" else "" end)] | join(", ")) as $x
    | ((if $p != null then "MachinePool is \($p)" else "" end) + (if $x != "" then ": \($x)" else "" end)) as $m
    | if $p == "Running" or $p == "Scaling" then H($m) elif $p == "Failed" or $p == "Unknown" then D($m) else P($m) end`,
  'controlplane.cluster.x-k8s.io/AWSManagedControlPlane': `
    .status as $s | if $s == null then P("Provisioning...") elif observed | not then P("Waiting for the control plane spec to be reconciled")
    elif ($s.failureMessage // "") != "" then D($s.failureMessage) elif $s.conditions == null then P("Provisioning...")
    elif any(conds; on("EKSControlPlaneUpdating")) then P("EKS control plane is updating")
    elif any(conds; on("Ready")) then H("Control plane is ready")
    else ([conds | select(.status == "False" and .severity == "Error") | .message + " "] | add // "") as $e
      | if $e != "" then D($e) elif $s.ready == false then P("Control plane is not ready (.status.ready is false)") else P("Control plane is not ready") end end`,
  'core.gardener.cloud/Shoot': `
    .metadata.labels["shoot.gardener.cloud/status"] | if . == "healthy" then H("Component state: Healthy") elif . == "progressing" then P("Component state: Update in progress")
    elif . == "unhealthy" then D("Component state: Unhealthy") elif . == "unknown" then U("Component state: Unknown") else P("Update in progress") end`,
  '*.cnrm.cloud.google.com/*': String.raw`
    .kind as $k | (.status.observedGeneration == null or .status.observedGeneration == .metadata.generation) as $now
    | def state: if .status.healthy == true then H("\($k) is healthy") else D("\($k) is not healthy") end;
      (.status.healthy != null) as $said | ($said and (.apiVersion | startswith("customize.core.cnrm.cloud.google.com/")) and ($now or .status.observedGeneration == 0)) as $own
    | (select($own or ($said and $now and ($k | IN("ConfigConnector", "ConfigConnectorContext")))) | state),
    (select($now) | conds | if .reason == "UpToDate" and .status == "True" then H(.message) elif .reason == "UpdateFailed" or .reason == "DependencyNotFound" then D(.message)
      elif .reason == "DependencyNotReady" then S(.message) else empty end), P("Update in progress")`,
  '*.services.k8s.aws/*': `
    (conds | if on("ACK.Terminal") then D(.message) elif off("Ready") then P(.message) elif on("Ready") then H("") else empty end), P("Waiting for resource to be ready")`,
  'pkg.crossplane.io/Provider': `
    ([conds | select(.type == "Installed")] | last) as $i | ([conds | select(.type == "Healthy")] | last) as $h
      | ([$i.reason, $h.reason | select(. != null)] | join(" ")) as $m | if $m == "" then P("Waiting for provider to be installed") elif $i.status == "True" and $h.status == "True" then H($m) else D($m) end`,
  'stacks.crossplane.io/ClusterStackInstall': `
    [(.status.conditionedStatus.conditions // [])[] | select(.type == "Ready")] | first((.[] | select(.status == "True") | H(.reason)), (last // empty | P(.reason)), P("Waiting for stack to be installed"))`,
  'cloudfront.aws.crossplane.io/Distribution': `managed("distribution")`,
  'iam.aws.crossplane.io/Policy,Role,RolePolicyAttachment': `managed(.kind)`,
  'rds.aws.crossplane.io/DBCluster,DBInstance': `managed(.kind)`,
  'route53.aws.crossplane.io/ResourceRecordSet': `managed("resourcrecordset")`,
  's3.aws.crossplane.io/Bucket': `managed("Bucket")`,
  '*.crossplane.io/*': `
    crossplane(["Composition", "CompositionRevision", "DeploymentRuntimeConfig", "EnvironmentConfig", "ImageConfig", "ProviderConfig", "ProviderConfigUsage", "ControllerConfig", "StoreConfig", "ClusterProviderConfig", "ClusterProviderConfigUsage"];
      ["Ready", "Healthy", "Offered", "Established", "ValidPipeline", "RevisionHealthy"])`,
  '*.upbound.io/*': `crossplane(["ProviderConfig", "ProviderConfigUsage", "StoreConfig", "ClusterProviderConfig", "ClusterProviderConfigUsage"]; ["Ready"])`,
  'iammanager.keikoproj.io/Iamrole': String.raw`
    .status as $s | "'\($s.roleName // "<none>")'" as $n | "ARN '\($s.roleARN // "<none>")' and ID '\($s.roleID // "<none>")'." as $ids
    | if $s.state == "Ready" then H("Role \($n) exists with \($ids)")
      elif $s.state | IN("Error", "RolesMaxLimitReached", "PolicyNotAllowed", "RoleNameNotAvailable") then
        D("Failed to reconcile the Iamrole " + (if ($s.retryCount // 0) > 0 then "(retry \($s.retryCount)) " else "" end) + "for role \($n) with \($ids)"
          + (if $s.errorDescription != null then " Reconciliation error was: \($s.errorDescription)" else "" end))
      else P("Waiting for Iamrole to be reconciled") end`,
  'services.cloud.sap.com/ServiceBinding,ServiceInstance': `
    . as $o | if .metadata.deletionTimestamp != null then P("Resource is being deleted") elif .status.conditions == null then P("Waiting for status")
    else first((conds | if .observedGeneration != null and $o.metadata.generation != null and .observedGeneration != $o.metadata.generation then P("Waiting for spec update to be observed")
      elif off("Succeeded") or on("Failed") then D(.message) else empty end), H("Ready to use")) end`,
  'route.openshift.io/Route': `
    (.status.ingress // null) as $i | if $i == null then P("Route is still getting admitted") else
      [$i[].conditions[] | select(.type == "Admitted") | .status] as $a
      | if ([$a[] | select(. == "True")] | length) == ($i | length) then H("Route is healthy") elif any($a[]; . == "False") then D("Route is degraded") else P("Route is still getting admitted") end end`,
  'apps.openshift.io/DeploymentConfig': `
    if .status.conditions == null or .status.replicas == null then P("replication controller is waiting for pods to run") else
      ([conds | select(.status == "True" and (.type == "Available" or (.type == "Progressing" and .reason == "NewReplicationControllerAvailable")))] | length) as $n
      | if $n == 2 or .status.replicas == 0 then H("replication controller successfully rolled out") elif $n == 1 then P("replication controller is waiting for pods to run") else D("Deployment config is degraded") end end`,
  'operator.openshift.io/IngressController': `
    (conds | if on("Degraded") then D(.message) elif off("DeploymentReplicasAllAvailable") then P(.message) elif on("Progressing") then P(.reason)
      elif on("Available") then H("IngressController is available") else empty end), P("Status of IngressController is not known yet")`,
  'ocs.openshift.io/StorageCluster': `
    ([conds | select(on("Degraded"))] | last // empty | D(.message)), ([conds | select(on("Progressing"))] | last // empty | P(.message)),
    ([conds | select(on("Available"))] | last // empty | H(.message)), U("StorageCluster is in an unknown state.")`,
  'kubevirt.io/VirtualMachine': `
    .status as $s | if (.spec.running == false or .spec.runStrategy == "Halted") and $s.created != true then H("Stopped as declared") else (reduce conds as $c ({status: "Progressing", message: "No status available", done: false};
      if .done then . elif $c.type == "Paused" and $c.status == "True" then {status: "Suspended", message: "Paused", done: true}
      elif $c.type != "Ready" then . elif $c.status == "True" then .status = "Healthy" | .message = "Running"
      elif $s.created == true then .message = "Starting" else .status = "Suspended" | .message = "Stopped" end))
    | if .done or $s.printableStatus == null then . else .message = $s.printableStatus end | {status, message} end`,
  'kubevirt.io/VirtualMachineInstance': `
    .status.phase as $p | if $p == "Failed" then D($p) elif $p | IN("Pending", "Scheduling", "Scheduled") then P($p) elif $p == "Succeeded" then S($p) elif $p == "Unknown" then U($p)
    else first((conds | select(on("Paused")) | S(.message)), ([conds | select(.type == "Ready")] | last // empty | if .status == "True" then H("Running") else D(.message) end),
      P($p // "No status available")) end`,
  'cdi.kubevirt.io/DataVolume': `
    .status.phase as $p | if $p == "Succeeded" then H($p) elif $p == "Paused" then S($p)
    else first((conds | select(off("Running") and .reason == "Error") | D(.message)), (if $p == "Failed" or $p == "Unknown" then D($p) else P($p // "No status available") end)) end`,
  'ceph.rook.io/CephCluster': String.raw`
    .status as $s | if $s == null then P("Waiting for status to be reported") else
      (($s.ceph.details // {}) | [to_entries[] | .value.message // empty]) as $d
      | ($s.ceph.health as $h | if $h == "HEALTH_ERR" or $h == "HEALTH_WARN" then "Degraded" elif $h == "HEALTH_OK" then "Healthy" else "Progressing" end) as $st
      | [(if $s.ceph.health != null then "Ceph health is \($s.ceph.health)" + (if $d == [] then "" else " (\($d | join("; ")))" end) else empty end),
         (if $s.state != null and $st == "Healthy" then "Ceph cluster state is \($s.state)" else empty end), ($s.message // "" | select(. != ""))] | join(" - ") as $m
      | {status: (if $st == "Healthy" and $s.state != null then if $s.state == "Created" or $s.state == "Connected" then "Healthy" elif $s.state == "Error" then "Degraded" else "Progressing" end else $st end), message: $m} end`,
  'ceph.rook.io/CephObjectStore': String.raw`
    .status as $s | ((if $s.phase != null then "Ceph object store phase is \($s.phase)" else "Waiting for status to be reported" end)
      + (if ($s.info.endpoint // "") != "" then " - endpoint: \($s.info.endpoint)" else "" end)) as $m
    | if $s.phase == "Ready" then H($m) elif $s.phase == "Failure" then D($m) else P($m) end`,
  'objectbucket.io/ObjectBucketClaim': String.raw`
    .status as $s | if $s == null then P("Waiting for status to be reported") elif $s.phase == null then P("Waiting for phase to be reported")
    else "Object bucket claim phase is \($s.phase)" as $m | if $s.phase == "Bound" then H($m) elif $s.phase == "Failed" then D($m) else P($m) end end`,
  'trident.netapp.io/TridentBackendConfig': `
    .status | if .phase == "Bound" and .lastOperationStatus == "Success" then H(.message) elif .lastOperationStatus == "Failed" then D(.message) else P("Waiting for backend creation") end`,
  'trident.netapp.io/TridentOrchestrator': `
    .status | if .status == "Installed" then H(.message) elif .status == "Failed" or .status == "Error" then D(.message) else P("Waiting for trident installation") end`,
  'astra.netapp.io/AppVault': String.raw`
    .kind as $k | .status.state | if . == "available" or . == "Available" then H("\($k) Available") elif . == "failed" or . == "Failed" then D("\($k) Failed") else P("No status available") end`,
  'astra.netapp.io/Application': String.raw`
    .status.protectionState as $p | either("Ready"; H("Astra Application Ready, protectionState: \($p)"); D("Astra Application Degraded, message: \(.message)")), P("No status available")`,
  'astra.netapp.io/Backup,ExecHooksRun,ResourceBackup,ResticVolumeBackup,Snapshot': String.raw`
    .kind as $k | .status.state | if . == null then P("No status available") elif . == "Completed" then H("\($k) Completed") elif . == "Running" then P("\($k) Running") else D(.) end`,
  'astra.netapp.io/ExecHook': String.raw`
    .kind as $k | .spec.enabled | if . == true then H("\($k) enabled") elif . == false then S("\($k) disabled") else P("No status available") end`,
  'astra.netapp.io/Schedule': String.raw`
    .status.lastScheduleTime | if . == null then H("Protection policy not yet executed") else H("Protection policy lastScheduleTime: \(.)") end`,
  'work.karmada.io/ClusterResourceBinding': `
    (.spec.clusters // []) as $c | if $c == [] or .status.aggregatedStatus == null or ($c | length) != (.status.aggregatedStatus | length) then P("Current resource status is insufficient") else karmada end`,
  'work.karmada.io/ResourceBinding': `
    .spec.clusters as $c | (.status.aggregatedStatus // []) as $a | if $a == [] or ($c != null and ($c | length) != ($a | length)) then P("Current resource status is insufficient") else karmada end`,
  'proclaim.dogmatiq.io/DNSSDServiceInstance': `
    def of($t): [conds | select(.type == $t)] | last // {status: "Unknown"};
    of("Adopted") as $a | of("Advertised") as $b | of("Discoverable") as $c
    | if $a.status == "False" then D($a.message) elif $b.reason | IN("AdvertiseError", "UnadvertiseError") then D($b.message)
      elif $c.reason == "DiscoveryError" then U($c.message) elif $c.status == "True" then H($c.message) else P($c.message) end`,
  'pulumi.com/Stack': `
    if .status == null or .status.observedGeneration != .metadata.generation then P("Waiting for the operator to observe the latest spec change")
    else first((conds | if on("Stalled") then D(.message) elif on("Reconciling") then P(.message) elif on("Ready") then H(.message) else empty end), P("Waiting for the stack to be reconciled")) end`,
  'tower.ansible.com/AnsibleJob': String.raw`
    .status.ansibleJobResult | "\(.status) job - \(.url)" as $m | if . == null then P("Waiting for AnsibleJob") elif .status == "successful" then H($m)
    elif .status | IN("failed", "error", "canceled") then D($m) elif .status | IN("new", "pending", "waiting", "running") then P($m) else P("Waiting for AnsibleJob") end`,
};

export const PLATFORM_WORDS = String.raw`
def keda(bad; $waiting):
  [conds | select(bad)] as $bad | [conds | select(on("Ready"))] as $good | [conds | select(on("Paused"))] as $paused
  | ([conds | select(bad or on("Ready") or on("Paused"))] | last | .message?) as $m
  | if $bad != [] then D($m) elif $good != [] and $paused == [] then H($m) elif $good != [] then S($m) else P($waiting) end;
def route($prefix; $programming):
  first((.conditions // [])[] | select(off("ResolvedRefs")) | D($prefix + (.message // "Failed condition: ResolvedRefs"))),
  first((.conditions // [])[] | select(off("Accepted")) | D($prefix + (.message // "Failed condition: Accepted"))),
  first((.conditions // [])[] | select(.type == "Programmed" and .status != "True") | P($prefix + (.message // $programming)));
def gloo:
  def verdict: .state as $s | if $s | IN("Accepted", 1) then H("The resource has been validated") elif $s | IN("Warning", 3, "Rejected", 2) then D(.reason)
    elif $s | IN("Pending", 0) then S("The resource has not yet been validated") else empty end;
  ((.status.statuses // {})[] | verdict), (.status // {} | verdict), P("Update in progress");
def managed($what):
  if .status.conditions == null then P("Waiting for \($what) to be created") else
    ([conds | select(.type == "Ready")] | last // {}) as $r | ([conds | select(.type == "Synced")] | last // {}) as $s
    | ([conds | select(.type == "Synced" and .reason == "ReconcileError")] | last // {}) as $e
    | any(conds; .type == "Synced" and .reason == "ReconcilePaused") as $paused
    | if $r.status == "True" and $s.status == "True" then H($r.reason) elif $s.status != "True" and $paused then S("ReconcilePaused")
      elif $r.status != "True" and $s.status == "True" and ($paused | not) then P("Waiting for \($what) to be available") else D($e.message) end end;
def crossplane($bare; $good):
  .kind as $k | (.spec.state != "Active") as $idle
  | if (.status.conditions // []) == [] then
      if $bare | index([$k]) then H(if .status.users != null then "Resource is in use." else "Resource is up-to-date." end) else P("Provisioning ...") end
    else first((conds | select(off("LastAsyncOperation") or off("Synced")) | D(.message)),
      (conds | select((.status == "True" and (.type as $t | $good | index([$t]))) or (.type == "Established" and .reason == "InactiveManagedResource" and $idle and ($good | index(["Established"])))) | H("Resource is up-to-date.")),
      P("Provisioning ...")) end;
def karmada: if any(.status.aggregatedStatus[]; .health == "Unhealthy" or (.health == "Unknown" and .applied != true)) then D("Current resource status is unhealthy") else H("") end;
`;
