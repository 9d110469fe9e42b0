/** Kinds of GitOps, progressive delivery, policy and operators' life cycles. Keys: `group/Kind,Kind`; `*` is any text. */
export const DELIVERY_RULES: { readonly [kinds: string]: string } = {
  'capstan.dev/HealthProbe': `
    if .status.health.status == null or (observed | not) then P("Waiting for the first probe") else .status.health end`,
  'argoproj.io/AnalysisRun': `
    .status as $s | if $s == null then P("Waiting for analysis run to finish: status has not been reconciled.")
    elif $s.phase == "Pending" or $s.phase == "Running" then P("Analysis run is running")
    elif $s.phase == "Successful" then H($s.message // "Analysis run completed successfully")
    elif $s.phase == "Failed" then D($s.message // "Analysis run failed")
    elif $s.phase == "Error" then D($s.message // "Analysis run had an error")
    elif $s.phase == "Inconclusive" then U($s.message // "Analysis run was inconclusive") else empty end`,
  'argoproj.io/ApplicationSet': `
    (conds | select(on("ErrorOccurred")) | D(.message)), (conds | select(off("ResourcesUpToDate")) | D(.message)),
    (conds | select(on("RolloutProgressing")) | P(.message)), (conds | select(on("ResourcesUpToDate")) | H(.message)),
    P("Waiting for the status to be reported")`,
  'argoproj.io/CronWorkflow': `
    (conds | if on("SpecError") or on("SubmissionError") then D(.message) elif on("Completed") then H(.message) else empty end),
    H("CronWorkflow is healthy.")`,
  'argoproj.io/EventBus': `
    either("Deployed"; H(.message // .reason); D(.message // .reason)), P("Waiting for initialization")`,
  'argoproj.io/Experiment': `
    .status.phase as $p | if .status == null then P("Waiting for experiment to finish: status has not been reconciled.")
    elif $p == "Pending" then P("Experiment is pending") elif $p == "Running" then P("Experiment is running")
    elif $p == "Successful" then H("Experiment is successful") elif $p == "Failed" then D("Experiment has failed")
    elif $p == "Error" then D("Experiment had an error") else empty end`,
  'argoproj.io/Rollout': `
    (.status.observedGeneration | (tonumber? // null)) as $seen | (.status.stableRS // .status.canary.stableRS // "") as $stable
    | (.spec.replicas // 1) as $wanted | (.status.replicas // 0) as $all | (.status.updatedReplicas // 0) as $updated
    | (.metadata.annotations["rollout.argoproj.io/workload-generation"] | (tonumber? // null)) as $workload
    | (if .status == null or ($seen != null and $seen < .metadata.generation)
        or (.spec.workloadRef != null and .metadata.annotations != null
          and $workload != (.status.workloadObservedGeneration | (tonumber? // null)))
      then P("Waiting for rollout spec update to be observed") else empty end),
    (.status | if .phase == null then empty elif .phase == "Paused" then S(.message)
      else {status: .phase, message: (.message // "")} end),
    (conds | if .type == "InvalidSpec" or (.type == "Progressing" and (.reason == "RolloutAborted" or .reason == "ProgressDeadlineExceeded"))
      then D(.message) else empty end),
    (if (.status.pauseConditions // [] | length) > 0 or .spec.paused == true then S("Rollout is paused") else empty end),
    (if .status.currentPodHash == null then P("Waiting for rollout to finish: status has not been reconciled.") else empty end),
    (if $updated < $wanted then P("Waiting for roll out to finish: More replicas need to be updated")
      elif (.status.availableReplicas // 0) < $updated then P("Waiting for roll out to finish: updated replicas are still becoming available")
      else empty end),
    (if .spec.strategy.blueGreen != null then
        if .status.blueGreen == null or .status.blueGreen.activeSelector != .status.currentPodHash then P("active service cutover pending")
        elif $stable != "" and $stable != .status.currentPodHash then P("waiting for analysis to complete") else empty end
      elif .spec.strategy.canary != null then
        if $all > $updated then P("Waiting for roll out to finish: old replicas are pending termination")
        elif $stable == "" or $stable != .status.currentPodHash then P("Waiting for rollout to finish steps") else empty end
      else empty end), H("")`,
  'argoproj.io/Workflow': `
    .status | .message as $m | .phase // "" | if IN("", "Pending", "Running") then P($m) elif . == "Succeeded" then H($m)
    elif IN("Failed", "Error") then D($m) else U($m) end`,
  'flagger.app/Canary': String.raw`
    .status as $s | if $s == null then U("No status") else
    ([(if ($s.canaryWeight | tonumber) > 0 then "Canary Weight: \($s.canaryWeight) %" else empty end), (conds | .message)] | join(" --- ")) as $m
    | "\($s.phase) --- \($m)" as $all
    | if $s.phase == "Failed" then D($all)
      elif ["Progressing", "Finalising", "Promoting"] | index($s.phase) then P($all)
      elif ["Succeeded", "Initialized"] | index($s.phase) then H($all) else U($all) end end`,
  'helm.toolkit.fluxcd.io/HelmRelease': `
    flux(.type == "Ready" and .status == "Unknown" or on("Reconciling"); on("Ready") or on("Released") or on("TestSuccess"); 2; "Degraded")`,
  'image.toolkit.fluxcd.io/ImagePolicy': `
    flux(off("Ready") or (on("Reconciling") and (.reason | IN("NewGeneration", "AccessingRepository", "ApplyingPolicy"))); on("Ready"); 1; "Degraded")`,
  'image.toolkit.fluxcd.io/ImageRepository': `
    flux(off("Ready") or (on("Reconciling") and (.reason | IN("NewGeneration", "Scanning"))); on("Ready"); 1; "Degraded")`,
  'image.toolkit.fluxcd.io/ImageUpdateAutomation': `
    flux(.type == "Ready" and .status == "Unknown" or on("Reconciling"); on("Ready"); 1; "Degraded")`,
  'kustomize.toolkit.fluxcd.io/Kustomization': `
    flux(.type == "Ready" and .status == "Unknown" or on("Reconciling"); on("Ready"); 1; "Degraded")`,
  'notification.toolkit.fluxcd.io/Receiver': `flux(false; on("Ready"); 1; "Degraded")`,
  'source.toolkit.fluxcd.io/Bucket,GitRepository,HelmChart,OCIRepository': `
    flux(.type == "Ready" and .status == "Unknown" or on("Reconciling"); on("Ready") or on("ArtifactInStorage"); 2; "Degraded")`,
  'source.toolkit.fluxcd.io/HelmRepository': String.raw`
    (select(.spec.suspend == true) | S("\(.kind) is suspended")),
    (select(.spec.type == "oci") | H("Helm repositories of type 'oci' do not contain any information in the status.")),
    flux(.type == "Ready" and .status == "Unknown" or on("Reconciling"); on("Ready") or on("ArtifactInStorage"); 2; "Degraded")`,
  'promoter.argoproj.io/ArgoCDCommitStatus': String.raw`
    promoted("Argo CD commit status"), (.status.applicationsSelected // [] | length) as $n
    | if $n == 0 then D("Argo CD commit status has no applications configured")
      else H("Argo CD commit status is healthy and is tracking \($n) applications") end`,
  'promoter.argoproj.io/CommitStatus': String.raw`
    promoted("Commit status"), (.status | if (.sha and .phase | not) then H("Commit status is healthy")
      else H("Commit status for commit \(.sha) reports \(.phase)") end)`,
  'promoter.argoproj.io/PullRequest': String.raw`
    ((if .status.conditions == null then . else .status.conditions |= map(if .type == "Reconciled" then .type = "Ready" else . end) end)
      | promoted("Pull request")),
    (.status | if (.id and .state | not) then H("Pull request is healthy") else H("Pull request is \(.state) as PR \(.id)") end)`,
  'promoter.argoproj.io/ClusterScmProvider': `
    checked("cluster SCM provider"; "Cluster SCM provider validation failed"; "Cluster SCM provider not ready"; "Cluster SCM provider readiness unknown"),
    H("Cluster SCM provider is ready")`,
  'promoter.argoproj.io/ScmProvider': `
    checked("SCM provider"; "SCM provider validation failed"; "SCM provider not ready"; "SCM provider readiness unknown"),
    H("SCM provider is ready")`,
  'promoter.argoproj.io/GitRepository': `
    checked("Git repository"; "Git repository validation failed"; "Git repository not ready"; "Git repository readiness unknown"),
    H("Git repository is ready")`,
  'promoter.argoproj.io/GitCommitStatus': `
    checked("git commit validation"; "Git commit validation failed"; "Git commit validation not ready"; "Git commit validation status unknown"),
    branches("Git commit validation reconciled"; "Git commit validation failed"; "Git commit validation pending"; "Git commit validation passed")`,
  'promoter.argoproj.io/TimedCommitStatus': `
    checked("timed commit gate"; "Timed commit gate failed"; "Timed commit gate not ready"; "Timed commit gate status unknown"),
    branches("Timed commit gate reconciled"; "Timed commit gate failed"; "Timed commit gate pending"; "Timed commit gate satisfied")`,
  'promoter.argoproj.io/WebRequestCommitStatus': `
    checked("web request commit validation"; "Web request commit validation failed"; "Web request commit validation not ready"; "Web request commit validation unknown"),
    branches("Web request commit validation reconciled"; "Web request validation failed"; "Web request validation pending"; "Web request validation passed")`,
  'promoter.argoproj.io/ChangeTransferPolicy': String.raw`
    promoted("Change transfer policy"), (.status
    | if (.active.dry.sha // "") == "" then P("The active commit DRY SHA is missing or empty.")
      elif (.proposed.dry.sha // "") == "" then P("The proposed commit DRY SHA is missing or empty.")
      elif .proposed.dry.sha != .active.dry.sha then
        H("Promotion in progress from '\(.active.dry.sha | short)' to '\(.proposed.dry.sha | short)': " + (.proposed.commitStatuses // [] | tally))
      elif [(.active.commitStatuses // [])[] | select(.phase == "pending" or .phase == "failure")] | length > 0 then
        H("Environment is up-to-date, but there are non-successful active commit statuses: " + (.active.commitStatuses | tally))
      else H("Environment is up-to-date on commit \(.active.dry.sha | short).") end)`,
  'promoter.argoproj.io/PromotionStrategy': String.raw`
    def hydrated: [.proposed.note.drySha, .proposed.dry.sha | select(. != null and . != "")] | first;
    promoted("Promotion strategy"), (.status.environments // [] | if length == 0 then D("Promotion strategy has no environments configured") else
      first((.[] | if (.active.dry.sha // "") == "" then P("The active commit DRY SHA is missing or empty in environment '\(.branch)'.")
          elif hydrated == null then P("The proposed commit DRY SHA is missing or empty in environment '\(.branch)'.") else empty end),
        ((.[0] | hydrated) as $first | if any(.[]; hydrated != $first) then P("Not all environments have the same proposed commit SHA. This likely means the hydrator has not run for all environments yet.") else empty end),
        (.[] | select(.proposed.dry.sha != .active.dry.sha)
          | H("Promotion in progress for environment '\(.branch)' from '\(.active.dry.sha | short)' to '\(.proposed.dry.sha | short)': "
            + (.proposed.commitStatuses // [] | tally) + "Hydrator has processed dry commit '\(hydrated | short)'. ")),
        ([.[] | [(.active.commitStatuses // [])[].phase] as $p | ([$p[] | select(. == "failure")] | length) as $f
            | ([$p[] | select(. == "pending")] | length) as $w | select($f + $w > 0) | "\(.branch) (\($f) failed, \($w) pending)"]
          | select(length > 0) | H("Environments are up-to-date, but some environments have non-successful commit statuses: \(join(", "))." )),
        (.[0] | H("All environments are up-to-date on commit '\(.active.dry.sha | short)'. Hydrator has processed dry commit '\(hydrated | short)'.")))
      end)`,
  'lifecycle.keptn.sh/KeptnAppVersion,KeptnTask,KeptnWorkloadInstance,KeptnWorkloadVersion': String.raw`
    .kind as $k | .status.status | if . == "Succeeded" then H("\($k) is healthy") elif . == "Failed" then D("\($k) is degraded") else P("\($k) is progressing") end`,
  'lifecycle.keptn.sh/KeptnEvaluation': String.raw`
    .kind as $k | .status.overallStatus | if . == "Succeeded" then H("\($k) is healthy") elif . == "Failed" then D("\($k) is degraded") else P("\($k) is progressing") end`,
  'metrics.keptn.sh/Analysis': `
    .status | if .pass == true then H("Analysis is healthy") elif .warning == true then H("Analysis is healthy with warnings")
    elif .pass == false then D("Analysis is degraded") else P("Analysis is progressing") end`,
  'metrics.keptn.sh/KeptnMetric': `
    .status | if (.errMsg // "") == "" and .value != null then H("KeptnMetric is healthy")
    elif (.errMsg // "") != "" then D("KeptnMetric is degraded") else P("KeptnMetric is progressing") end`,
  'kyverno.io/ClusterPolicy': `
    (conds | select(.type == "Ready") | if .status == "True" then H(.message) else D(.message) end), P("Waiting for ClusterPolicy to become ready")`,
  'kyverno.io/Policy': String.raw`
    (conds | select(on("Ready") and .reason == "Succeeded" and .message == "Ready") | H("Policy is ready")), P("Waiting for \(.kind) to be ready")`,
  'policy.open-cluster-management.io/CertificatePolicy': `
    .status.compliant | if . == null then P("Waiting for the status to be reported")
    elif . == "Compliant" then H("All certificates found comply with the policy")
    else D("At least once certificate does not comply with the policy") end`,
  'policy.open-cluster-management.io/ConfigurationPolicy': String.raw`
    if .status.compliant == null then P("Waiting for the status to be reported")
    elif .status.lastEvaluatedGeneration != .metadata.generation then P("Waiting for the status to be updated")
    elif .status.compliancyDetails == null then P("Waiting for compliance")
    else .status | ([.compliancyDetails[] | (.conditions // [])[] | select(.message != null and .type != null) | "\(.type) - \(.message)"] | join("; ")) as $m
      | if .compliant == "Compliant" then H($m) else D($m) end end`,
  'policy.open-cluster-management.io/OperatorPolicy': `
    if .status.conditions == null then P("Waiting for the status to be reported")
    elif .status.observedGeneration != null and .status.observedGeneration != .metadata.generation then P("Waiting for the status to be updated")
    else first((conds | select(.type == "Compliant") | if .status == "True" then H(.message) else D(.message) end), P("Waiting for the compliance condition")) end`,
  'policy.open-cluster-management.io/Policy': `
    def others(f): [.[] | select(.compliant != "Compliant") | f];
    if .spec.disabled == true then H("Policy is disabled")
    elif .status == null then P("Waiting for the status to be reported")
    elif .status.compliant == null and .status.status == null and (.status.placement // [] | length) > 0 then H("No clusters match this policy")
    elif .status.compliant == null then P("Waiting for the status to be reported")
    else .status | (if .status != null then (.status | others(.clustername)) as $n | if $n == [] then "All clusters are compliant" else "NonCompliant clusters: " + ($n | join(", ")) end
        elif .details != null then (.details | others(.templateMeta.name)) as $n | if $n == [] then "All templates are compliant" else "NonCompliant templates: " + ($n | join(", ")) end
        else "" end) as $m | if .compliant == "Compliant" then H($m) else D($m) end end`,
  'operators.coreos.com/Subscription': String.raw`
    if .status.conditions == null then P("An install plan for a subscription is pending installation") else
    (.spec.installPlanApproval == "Manual" and any(conds; on("InstallPlanPending") and .reason == "RequiresApproval") and .status.installedCSV != null) as $manual
    | .status.state as $state
    | reduce (.status.conditions | to_entries[] | select(($manual and .value.type == "InstallPlanPending") | not)) as $e ({m: "", bad: 0, open: 0};
        ($e.value) as $c | .m += "\($e.key + 1): \($c.type) | \($c.status)\n"
        | if $c.type == "InstallPlanPending" and $c.status == "True" then .open += 1
          elif $c.type == "InstallPlanMissing" and $c.reason != "ReferencedInstallPlanNotFound" then .bad += 1
          elif ($c.type | IN("CatalogSourcesUnhealthy", "InstallPlanFailed", "ResolutionFailed")) and $c.status == "True" then .bad += 1 else . end)
    | if $state == null then .open += 1 | .m += ".status.state not yet known\n"
      elif $state == "UpgradePending" and $manual then .m += ".status.state is 'UpgradePending' (manual InstallPlan approval pending; treated as healthy)\n"
      else .m += ".status.state is '\($state)'\n" | if ($state | IN("", "UpgradeAvailable", "UpgradePending")) then .open += 1 elif $state == "UpgradeFailed" then .bad += 1 else . end end
    | if .bad == 0 and .open == 0 then H(.m) elif .bad == 0 then P(.m) else D(.m) end end`,
  'numaflow.numaproj.io/InterStepBufferService': `numaflow(.message // ""; "InterStepBufferService"; [])`,
  'numaflow.numaproj.io/MonoVertex': `numaflow("Subresources are unhealthy"; "MonoVertex"; ["Paused"])`,
  'numaflow.numaproj.io/Pipeline': `numaflow("Subresources are unhealthy"; "Pipeline"; ["Paused", "Pausing"])`,
  'numaflow.numaproj.io/Vertex': `numaflow(.message // ""; "Vertex"; ["Paused"])`,
  'numaplane.numaproj.io/ISBServiceRollout': `numaplane("ISBSvcFailed"; "none"; "Unknown status")`,
  'numaplane.numaproj.io/MonoVertexRollout': `numaplane("MonoVertexFailed"; "MonoVertexPausingOrPaused"; "Unknown MonoVertex status")`,
  'numaplane.numaproj.io/PipelineRollout': `numaplane("PipelineFailed"; "PipelinePausingOrPaused"; "Unknown Pipeline status")`,
  'numaplane.numaproj.io/NumaflowControllerRollout': `numaplane("*"; "none"; "Unknown status")`,
};

export const DELIVERY_WORDS = String.raw`
def flux(busy; good; $need; $else):
  (select(.spec.suspend == true) | S("\(.kind) is suspended")),
  (select(.status.conditions != null)
    | ([conds | select(busy)] | length) as $busy | ([conds | select(good)] | length) as $good
    | (reduce conds as $c (""; if $c.type == "Ready" then $c.reason elif $c.type == "ArtifactOutdated" and $c.status == "True" then . + " " + $c.reason else . end)) as $m
    | if $busy == 2 then P($m) elif $good == $need then H($m) else {status: $else, message: ($m // "")} end),
  P("Status unknown");
def lowered: if startswith("Argo") or startswith("SCM") or startswith("Git r") then . else (.[:1] | ascii_downcase) + .[1:] end;
def why: "(\(.reason // "Unknown")): \(.message // "Unknown error")";
def leaving($what): {status: "Progressing", deletionMessage: ("\($what) is being deleted"
  + if .kind | IN("ChangeTransferPolicy", "ClusterScmProvider", "GitRepository", "PullRequest", "ScmProvider")
    then "." + ([.metadata.finalizers // [] | .[] | " \(.): still present."] | add // "") else "" end)};
def promoted($what): . as $o | ($what | lowered) as $low
  | if .metadata.deletionTimestamp != null then leaving($what)
    elif .status == null then P("Initializing \($low)")
    else first((conds | select(.type == "Ready")
        | if .observedGeneration != null and $o.metadata.generation != null and .observedGeneration != $o.metadata.generation then P("Waiting for \($low) spec update to be observed")
          elif .status == "False" then if .reason == "ReconciliationError" then D("\($what) reconciliation failed: \(.message // "Unknown error")") else D("\($what) reconciliation failed \(why)") end
          else empty end),
      (if any(conds; .type == "Ready") then empty else P("\($what) is not ready yet") end)) end;
def checked($low; $failed; $unready; $unknown): . as $o
  | if .metadata.deletionTimestamp != null then leaving(.kind)
    elif .status == null then P("Initializing \($low)")
    else first((conds | select(.type == "Ready")
        | if .observedGeneration != null and $o.metadata.generation != null and .observedGeneration != $o.metadata.generation then P("Waiting for \($o.kind) spec update to be observed")
          elif .status == "False" then if .reason == "ReconciliationError" then D("\($failed): \(.message // "Unknown error")") else D("\($unready) \(why)") end
          elif .status == "Unknown" then P("\($unknown) (\(.reason // "Unknown")): \(.message // "Unknown")")
          else empty end),
      (if any(conds; .type == "Ready") then empty else P("\(.kind) Ready condition is missing") end)) end;
def branches($none; $failed; $pending; $passed): (.status.environments // []) as $all
  | [$all[] | select(.phase == "failure") | .branch // "?"] as $bad
  | [$all[] | select(.phase != "failure" and .phase != "success") | .branch // "?"] as $open
  | if $all == [] then H($none) elif $bad != [] then D("\($failed) for branch(es): \($bad | join(", "))")
    elif $open != [] then P("\($pending) for branch(es): \($open | join(", "))")
    else H("\($passed) for \([$all[] | select(.phase == "success")] | length) environment(s)") end;
def tally: [.[] | select(.phase == "pending") | .key] as $p | [.[] | select(.phase == "failure") | .key] as $f
  | "\($p | length) pending, \([.[] | select(.phase == "success")] | length) successful, \($f | length) failed. "
    + (if $p == [] then "" else "Pending commit statuses: \($p | join(", ")). " end)
    + (if $f == [] then "" else "Failed commit statuses: \($f | join(", ")). " end);
def numaflow(unhealthy; $kind; $paused):
  [conds | select(.status == "False")] as $bad
  | (.metadata.labels["numaplane.numaproj.io/progressive-result-state"] == "failed" and $kind != "Vertex") as $failed
  | .status as $s
  | (select($s != null and .metadata.generation == $s.observedGeneration)
    | if $s.phase == "Failed" then D($s.message) elif $failed then D("Failed progressive upgrade")
      elif $bad != [] then D($bad[-1] | unhealthy)
      elif $paused | index([$s.phase]) then H("\($kind) is paused")
      elif $s.phase == "Running" then H("\($kind) is healthy") else empty end),
  P("Waiting for \($kind) status");
def numaplane($broken; $pause; $unknown):
  ($broken != "*" and any(conds; off("ProgressiveUpgradeSucceeded"))) as $failed
  | (if .status == null or .metadata.generation != .status.observedGeneration then P("Not yet reconciled") else empty end),
  (if ((.status.upgradeInProgress // "") != "" or .status.phase == "Pending") and ($failed | not) then P("Update in progress") else empty end),
  (conds | select(off("ChildResourcesHealthy") and .reason == "Progressing") | P("Child Progressing")),
  (select(.status.phase == "Failed") | D(.status.message)),
  (conds | if off("ChildResourcesHealthy") and ($broken == "*" and .reason != "Progressing" or .reason == $broken) then D(.message)
    elif $broken != "*" and off("ProgressiveUpgradeSucceeded") then D("Progressive upgrade failed") else empty end),
  (conds | select(on($pause)) | H(.message)),
  (conds | select(on("ChildResourcesHealthy")) | H("Healthy")),
  U($unknown);
`;
