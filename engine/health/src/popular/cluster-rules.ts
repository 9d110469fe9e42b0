/** Kinds by which clusters are shared, guarded, backed up and reached: certificates, tenants, policies, routes, runs. Keys: `group/Kind,Kind`. */
export const CLUSTER_RULES: { readonly [kinds: string]: string } = {
  'acme.cert-manager.io/Challenge,Order': String.raw`
    .kind as $kind | ($kind | ascii_downcase) as $what | .status | (.state // "") as $s
    | if $s == "" then P("Waiting for \($what)") elif $s == "valid" then H("\($kind) is valid")
      elif $s | IN("invalid", "expired", "errored") then D(.reason // "\($kind) is \($s)")
      elif $kind == "Challenge" then P(.reason // "\($kind) is \($s)") else P("\($kind) is \($s)") end`,
  'cert-manager.io/CertificateRequest': `
    (conds | select(on("Denied") or on("InvalidRequest")) | D(.message)),
    (conds | select(.type == "Ready") | if .status == "True" then H(.message) elif .reason == "Pending" then P(.message) else D(.message) end),
    P("Waiting for certificate request")`,
  'trust.cert-manager.io/Bundle': `
    (conds | select(.type == "Synced") | if .status == "True" then H(.message // "Bundle is synced") else D(.message // .reason // "Bundle is not synced") end),
    P("Waiting for Bundle to be synced")`,
  'addons.projectcapsule.dev/GlobalSopsSecret,SopsProvider,SopsSecret': `
    capsule(conds | select(.type == "Ready" and .status == "Unknown") | P(.message))`,
  'capsule.clastix.io/CapsuleConfiguration,CustomQuota,GlobalCustomQuota,GlobalProxySettings,ProxySetting,TenantOwner': `capsule(empty)`,
  'capsule.clastix.io/GlobalTenantResource,TenantResource': `
    (select(.spec.cordoned == true) | S("Replication is cordoned")), capsule(empty)`,
  'capsule.clastix.io/ResourcePool': `
    capsule(.status.exhaustions // {} | keys | select(length > 0) | D("Pool exhausted for: " + join(", ")))`,
  'capsule.clastix.io/ResourcePoolClaim': `capsule(conds | select(off("Bound")) | S(.message))`,
  'capsule.clastix.io/Tenant': `capsule(conds | select(on("Cordoned")) | S(.message))`,
  'policies.kyverno.io/DeletingPolicy,GeneratingPolicy,NamespacedDeletingPolicy,NamespacedGeneratingPolicy': `
    kyverno(.status == "True"; .message)`,
  'policies.kyverno.io/ImageValidatingPolicy,NamespacedImageValidatingPolicy': `kyverno(on("WebhookConfigured"); .message)`,
  'policies.kyverno.io/MutatingPolicy,NamespacedMutatingPolicy,NamespacedValidatingPolicy,ValidatingPolicy': `
    kyverno(on("WebhookConfigured"); null)`,
  'gateway.envoyproxy.io/Backend': `
    .metadata.generation as $g | (conds | select(.type == "Accepted")
      | if .observedGeneration != null and .observedGeneration != $g then P("Waiting for Backend status to be updated")
        elif .status == "True" then H(.message) else D(.message) end), P("Waiting for Backend status")`,
  'gateway.envoyproxy.io/BackendTrafficPolicy,ClientTrafficPolicy,EnvoyExtensionPolicy,EnvoyPatchPolicy,SecurityPolicy': String.raw`
    .kind as $kind | .metadata.generation as $g | (.status.ancestors // []) as $all
    | ($all[] | select(seenAt($g)) | .conditions[] | select(off("Accepted")) | D(.message)),
      ($all[] | select((.conditions // []) != [] and seenAt($g)) | H("\($kind) is healthy")), P("Waiting for \($kind) status")`,
  'gateway.networking.k8s.io/ListenerSet': String.raw`
    def listener: first(.conditions[] | if off("ResolvedRefs") or off("Accepted") then D("Listener: \(.message)")
      elif on("Conflicted") then D("Listener: \(.message // "Listener is conflicted")") else empty end);
    def unready($prefix; $else): [.conditions[] | select(.type == "Programmed" and .status != "True")] | last // empty | P($prefix + (.message // $else));
    .metadata.generation as $g | P("Waiting for ListenerSet status") as $wait
    | if .status == null or ($g != null and any(conds; .observedGeneration != null and .observedGeneration != $g)) then $wait
      else .status | (.conditions[] | select(off("Accepted")) | D(.message)), unready(""; "ListenerSet is still being programmed"),
        ((.listeners // [])[] | select(.conditions != null) | (listener, unready("Listener: "; "Listener is still being programmed"))),
        (if (.listeners // []) == [] then $wait else H("ListenerSet is healthy") end) end`,
  'gateway.networking.k8s.io/TLSRoute': String.raw`
    def found($t): [.conditions[] | select(.type == $t)][0];
    def said($t): found($t).message // "" | if . == "" then "Failed condition: \($t)" else . end;
    .metadata.generation as $g | [(.status.parents // [])[] | select((.conditions // []) != [] and seenAt($g)) | .name = "Parent \(.parentRef.name // ""): "] as $all
    | ($all[] | if found("ResolvedRefs").status == "False" then D(.name + said("ResolvedRefs")) elif found("Accepted").status == "False" then D(.name + said("Accepted")) else empty end),
      ($all[] | found("Programmed") as $p | select($p != null and $p.status != "True") | P(.name + ($p.message // "Route is still being programmed"))),
      ($all[] | select(found("Accepted").status == "True" and found("ResolvedRefs").status == "True") | H("TLSRoute is healthy")),
      ($all[] | P("\(.name)Waiting for TLSRoute conditions")), P("Waiting for TLSRoute status")`,
  'kro.run/ResourceGraphDefinition': String.raw`
    if .status.conditions == null then P("Waiting for KRO to report status") else .metadata.generation as $g
      | (conds | select($g != null and .observedGeneration == $g) | if on("Ready") then H("ResourceGraphDefinition is active and serving instances")
        elif .status == "False" and (.type | IN("GraphRevisionsResolved", "GraphAccepted", "KindReady", "ControllerReady", "Ready")) then D(.message // "\(.type) is False") else empty end),
      P("Waiting for ResourceGraphDefinition to become ready") end`,
  'kro.run/*': String.raw`
    if .status.conditions == null then P("Waiting for KRO to report status") else .metadata.generation as $g | .status.state as $s
      | (conds | select($g != null and .observedGeneration == $g) | if on("Ready") then H("Instance is active and running")
        elif .status != "False" or (.type | IN("InstanceManaged", "GraphResolved", "ResourcesReady", "Ready") | not) then empty
        elif $s | IN("FAILED", "ERROR") then D(.message // "\(.type) is False") elif $s == "IN_PROGRESS" then P(.message // "\(.type) is in progress") else empty end),
      P("Waiting for instance to become ready") end`,
  'medusa.k8ssandra.io/MedusaBackupJob,MedusaTask': `
    .kind as $kind | .metadata.generation as $g | .status | if . == null then U("No status object") elif .observedGeneration == null then U("No observedGeneration")
    elif .observedGeneration != $g then P("observedGeneration is not equal to generation")
    elif .finished == null and .failed == null then P(if $kind == "MedusaTask" then "" else "Status not known yet" end)
    elif .failed != null and ($kind == "MedusaTask" or .finished == null) then D("Failed nodes exist")
    elif (.finished | length) > 0 then H("") else P("") end`,
  'flink.apache.org/FlinkSessionJob': `
    .status | .jobStatus.state as $s | if $s | IN("RUNNING", "FINISHED") then H($s) elif $s | IN("RECONCILING", "CREATED") then P($s)
    elif $s | IN("SUSPENDED", "CANCELED") then S($s) elif $s == "FAILED" then D(.error // "FlinkSessionJob failed")
    elif .error != null then D(.error) else P("Waiting for FlinkSessionJob to be reconciled") end`,
  'postgresql.cnpg.io/Backup': `
    .status | (.phase // "") as $p | if $p == "" then P("Waiting for backup to be processed") elif $p == "completed" then H("Backup completed")
    elif $p | IN("failed", "walArchivingFailing", "invalid backup definition") then D(.error // $p) else P($p) end`,
  'postgresql.cnpg.io/Database': `
    .metadata.generation as $g | .status | ($g == null or .observedGeneration == $g) as $seen
    | if .applied == true and $seen then H(.message) elif .applied == false and $seen then D(.message // "CloudNativePG failed to apply the Database")
      else P(.message // "" | if . == "" then "Waiting for CloudNativePG to reconcile Database" else . end) end`,
  'serving.kserve.io/LLMInferenceService': String.raw`
    .metadata.generation as $g | .status as $s | ([conds | select(.type == "Ready")] | last) as $r
    | ([conds | select(.type != "Ready" and .status != "True") | "\(.type): \(.status)" + (.reason // "" | if . == "" then "" else " | \(.)" end) + (.message // "" | if . == "" then "" else " | \(.)" end)] | join("; ")) as $m
    | ($m | if . != "" then . else $r.message // "" end | if . == "" then "Waiting for LLMInferenceService to report status..." else . end) as $told
    | def stale: . != null and . != $g;
      if $s.conditions == null then P($told)
      elif $g != null and (($s.observedGeneration | stale) or ($r.observedGeneration | stale)) then P("Waiting for LLMInferenceService reconciliation (generation mismatch)")
      elif any(conds; .reason == "Stopped") then S("LLMInferenceService is Stopped") elif $r.status == "True" then H("LLMInferenceService is healthy.")
      elif $r.status == "False" then D($told) else P($told) end`,
  'tekton.dev/PipelineRun,TaskRun': `
    (conds | select(.type == "Succeeded") | (.message // .reason) as $m | if .status == "True" then H($m) elif .status == "False" then D($m) else P($m) end),
    P("Waiting for run to start")`,
  'velero.io/Backup,Restore': String.raw`
    (.kind | ascii_downcase) as $what | .kind as $kind | .status | .phase as $p | if $p == null then P("Waiting for \($what) to be processed")
    elif $p == "Completed" then H("\($kind) completed")
    elif $p | IN("FailedValidation", "Failed", "PartiallyFailed", "WaitingForPluginOperationsPartiallyFailed", "FinalizingPartiallyFailed") then D(.failureReason // $p) else P($p) end`,
  'velero.io/Schedule': `
    .status.phase | if . == null then P("Waiting for schedule to be processed") elif . == "Enabled" then H("Schedule is enabled")
    elif . == "FailedValidation" then D("Schedule failed validation") else P(.) end`,
};

export const CLUSTER_WORDS = String.raw`
def capsule(before): if .status.conditions == null then P("Waiting for status")
  elif .metadata.generation != null and .status.observedGeneration != null and .status.observedGeneration != .metadata.generation then P("Waiting for reconciliation (generation mismatch)")
  else first(before, (conds | select(.type == "Ready") | if .status == "True" then H(.message) elif .status == "False" then D(.message) else empty end), P("Waiting for Ready condition")) end;
def kyverno(good; told): .kind as $kind | .metadata.generation as $g | .status.conditionStatus as $s | ($s.conditions // []) as $all
  | def text($else): $s | told // "" | if . == "" then $else else . end;
    if $s == null then P("Waiting for \($kind) status")
    elif $g != null and any($all[]; .observedGeneration != null and .observedGeneration < $g) then P("Waiting for \($kind) status to reflect latest generation")
    elif $s.ready == true then H(([$all[] | select(good)][0].message) // text("Policy is ready"))
    else ([$all[] | select(.status == "False")][0]) as $bad | if $bad != null then D("\($bad.type): \($bad.message)") else D($s.message // "" | if . == "" then "Policy is not ready" else . end) end end;
`;
