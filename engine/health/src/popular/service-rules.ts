/** Kinds of databases, queues, search, workloads and business services. Keys: `group/Kind,Kind`; `*` is any text. */
export const SERVICE_RULES: { readonly [kinds: string]: string } = {
  'acid.zalan.do/postgresql': `
    .status.PostgresClusterStatus | if . == null then P("Waiting for postgres cluster status...") elif . == "Running" then H(.) elif . == "Creating" or . == "Updating" then P(.) else D(.) end`,
  'postgresql.cnpg.io/Cluster': `
    .status as $s | if .metadata.annotations["cnpg.io/reconciliationLoop"] == "disabled" then S("Cluster reconciliation is suspended")
    elif $s.conditions == null then P($s.phaseReason)
    else first((conds | select(.type == "cnpg.io/hibernation") | if .status == "True" then S(.message) else D(.message) end),
      ({"Cluster in healthy state": "Healthy", "Setting up primary": "Progressing", "Creating a new replica": "Progressing", "Upgrading cluster": "Progressing",
        "Waiting for the instances to become active": "Progressing", "Promoting to primary cluster": "Progressing", "Switchover in progress": "Degraded",
        "Failing over": "Degraded", "Upgrading Postgres major version": "Degraded", "Cluster upgrade delayed": "Degraded", "Waiting for user action": "Degraded",
        "Primary instance is being restarted in-place": "Degraded", "Primary instance is being restarted without a switchover": "Degraded",
        "Cluster cannot execute instance online upgrade due to missing architecture binary": "Degraded", "Online upgrade in progress": "Degraded",
        "Applying configuration": "Degraded", "Unable to create required cluster objects": "Suspended",
        "Cluster cannot proceed to reconciliation due to an unknown plugin being required": "Suspended",
        "Cluster has incomplete or invalid image catalog": "Suspended", "Cluster is unrecoverable and needs manual intervention": "Suspended"} as $known
      | {status: ($known[$s.phase // ""] // "Unknown"), message: ($s.phaseReason // "")})) end`,
  'psmdb.percona.com/PerconaServerMongoDB': String.raw`
    .status | if . == null then U("Cluster status is unknown") else {status: ({initializing: "Progressing", ready: "Healthy", error: "Degraded", stopping: "Progressing", paused: "Suspended"}[.state // ""] // "Unknown"),
      message: "\(.ready)/\(.size) node(s) are ready"} end`,
  'pxc.percona.com/PerconaXtraDBCluster': String.raw`
    .status | "\(.ready)/\(.size) node(s) are ready" as $m | if .state == "initializing" then P($m) elif .state == "ready" then H($m) elif .state == "paused" then U("Cluster is paused")
    elif .state == "stopping" then D("Cluster is stopping (\($m))") elif .state == "error" then D("Cluster is on error: \(.message | join(", "))")
    else U("Cluster status is unknown. Ensure your ArgoCD is current and then check for/file a bug report: https://github.com/argoproj/argo-cd/issues") end`,
  'k8s.mariadb.com/Database,Grant,User': `
    ([conds] | (map(.type == "Ready") | index([true])) as $i | if $i != null then .[$i] | if .status == "True" then H(.message) else D(.message) end elif length > 0 then P(last | .message) else empty end), P("No status info available")`,
  'k8s.mariadb.com/Backup': String.raw`
    if .status.conditions == null then P("No status info available") else first((conds | select(.status == "False") | "\(.reason) \(.message)" as $m
      | if .reason == "CronJobScheduled" and .message == "Failed" then D($m) else P($m) end), ([conds] | last | H(if . == null then "" else "\(.reason) \(.message)" end))) end`,
  'k8s.mariadb.com/MariaDB': `mariadb`,
  'mariadb.mmontes.io/MariaDB': `mariadb`,
  'k8s.mariadb.com/SqlJob': String.raw`
    (conds | select(.status == "True") | "\(.reason) \(.message)" as $m | if .reason == "JobComplete" then H($m) elif .reason == "JobFailed" then D($m) else empty end),
    ([conds] | last // empty | P("\(.reason) \(.message)")), P("No status info available")`,
  'clickhouse.altinity.com/ClickHouseInstallation': `altinity("ClickHouse")`,
  'clickhouse-keeper.altinity.com/ClickHouseKeeperInstallation': `altinity("ClickHouseKeeper")`,
  'cassandra.rook.io/Cluster': `
    if .status.racks == null then P("Waiting for Cassandra Cluster") elif any(.status.racks[]; .members != null and .readyMembers != null and .members != .readyMembers) then P("Waiting for Cassandra Cluster") else H("") end`,
  'db.atlasgo.io/AtlasMigration': `
    first(conds | select(.type == "Ready")) // null | if . == null then P("Waiting for Atlas Operator") elif .status == "True" then H(.reason) elif .reason == "Reconciling" then P(.reason) else D(.reason) end`,
  'db.atlasgo.io/AtlasSchema': `
    first(conds | select(.type == "Ready")) // null | if . == null then P("Waiting for Atlas Operator") elif .status == "True" then H(.reason)
    elif .message == "Reconciling" or .message == "GettingDevDB" then P(.reason) else D(.reason) end`,
  'elasticsearch.k8s.elastic.co/Elasticsearch': String.raw`
    .status as $s | ([.spec.nodeSets[]?.count] | add // 0) as $n | if $s.availableNodes == null then empty
    elif $s.availableNodes < $n then P("The desired amount of availableNodes is \($n) but the current amount is \($s.availableNodes)")
    elif $s.availableNodes == $n and $s.health != null then
      if $s.phase == "Ready" and $s.health == "green" then H("Elasticsearch Cluster status is Green")
      elif $s.phase == "Ready" and $s.health == "yellow" then P("Elasticsearch Cluster status is Yellow. Check the status of indices, replicas and shards")
      elif $s.phase == "Ready" and $s.health == "red" then D("Elasticsearch Cluster status is Red. Check the status of indices, replicas and shards")
      elif $s.phase == "ApplyingChanges" or $s.phase == "MigratingData" then P("Elasticsearch phase is \($s.phase)")
      elif $s.phase == "Invalid" then D("Elasticsearch phase is Invalid") else empty end else empty end,
    U("Elasticsearch Cluster status is unknown. Ensure your ArgoCD is current and then check for/file a bug report: https://github.com/argoproj/argo-cd/issues")`,
  'beat.k8s.elastic.co/Beat': String.raw`
    .status as $s | (select($s.health != null or $s.expectedNodes != null) | if $s.health == "red" then D("Elastic Beat status is Red") elif $s.health == "green" then H("Elastic Beat status is Green")
      elif $s.health == "yellow" then if $s.availableNodes != null and $s.expectedNodes != null then P("Elastic Beat status is deploying, there is \($s.availableNodes) instance(s) on \($s.expectedNodes) expected") else P("Elastic Beat phase is progressing") end
      elif $s.health == null then P("Elastic Beat phase is progressing") else empty end),
    U("Elastic Beat status is unknown. Ensure your ArgoCD is current and then check for/file a bug report: https://github.com/argoproj/argo-cd/issues")`,
  'logstash.k8s.elastic.co/Logstash': `
    .status.health | if . == "green" then H("Logstash status is Green") elif . == "yellow" then P("Logstash status is Yellow") elif . == "red" then D("Logstash status is Red") else P("Waiting for Logstash") end`,
  'solr.apache.org/SolrCloud': `
    .status.solrNodes | if . == null then P("Waiting for solr to exist") elif any(.[]; .ready != true) then P("Not all replicas are ready") else H("Solr is ready") end`,
  'zookeeper.pravega.io/ZookeeperCluster': `
    .status | if . != null and .readyReplicas != 0 and .readyReplicas == .replicas then H("All ZK Nodes have joined the ensemble") else P("Waiting for ZK Nodes to join the ensemble") end`,
  'minio.min.io/Tenant': `
    .status.currentState | if . == null then P("No status info available") elif . == "Initialized" then H(.)
    elif IN("Statefulset not controlled by operator", "Another MinIO Tenant already exists in the namespace", "Tenant credentials are not set properly", "Different versions across MinIO Pools", "Pool Decommissioning Not Allowed") then D(.) else P(.) end`,
  'kafka.strimzi.io/Kafka': `
    (conds | if on("NotReady") and .reason != "Creating" then D(.message) elif on("Ready") then H("") else empty end), P("Waiting for Kafka Cluster")`,
  'kafka.strimzi.io/KafkaBridge,KafkaConnector': String.raw`strimzi("Waiting for \(.kind)")`,
  'kafka.strimzi.io/KafkaConnect': `strimzi("Waiting for Kafka Connect")`,
  'kafka.strimzi.io/KafkaTopic': `strimzi("Waiting for Kafka Topic")`,
  'kafka.strimzi.io/KafkaUser': `strimzi("Waiting for Kafka User")`,
  'kafka.banzaicloud.io/KafkaCluster': `
    .status as $s | if $s.state == "ClusterRollingUpgrading" then P("Kafka Cluster is Rolling Upgrading.")
    elif $s.brokersState == null then P("Waiting for KafkaCluster")
    elif all($s.brokersState[]; .configurationState == "ConfigInSync" and (.gracefulActionState.cruiseControlState | IN("GracefulUpscaleSucceeded", "GracefulDownscaleSucceeded"))) then
      if $s.cruiseControlTopicStatus == "CruiseControlTopicReady" and $s.state == "ClusterRunning" then H("Kafka Brokers, CruiseControl and cluster are in Healthy State.")
      elif ($s.cruiseControlTopicStatus | IN("CruiseControlTopicNotReady", null)) and $s.state == "ClusterReconciling" then P("Kafka Cluster is Reconciling.") else P("Waiting for KafkaCluster") end
    else D("Broker Config is out of Sync or CruiseControlState is not Ready") end`,
  'platform.confluent.io/Connect,ControlCenter,Kafka,KsqlDB,SchemaRegistry,Zookeeper': String.raw`
    .kind as $k | .status.phase | if . == "RUNNING" then H("\($k) running") elif . == "PROVISIONING" then P("\($k) provisioning") else P("Waiting for \($k)") end`,
  'platform.confluent.io/Connector': `
    .status | if .state == "CREATED" and .connectorState == "RUNNING" and .failedTasksCount == null then H("Connector running")
    elif .state == "ERROR" then D(if (.conditions // []) != [] then .conditions[0].message else "No conditions available" end)
    elif .state != null and (.failedTasksCount // 0) > 0 then D("Connector has failed tasks") else P("Waiting for Kafka Connector") end`,
  'rabbitmq.com/Binding,Exchange,Permission,Policy,Queue,Shovel,User,Vhost': String.raw`
    (.kind | ascii_downcase) as $k | (conds | if on("Ready") and .reason == "SuccessfulCreateOrUpdate" then H("RabbitMQ \($k) ready")
      elif off("Ready") and .reason == "FailedCreateOrUpdate" then D("RabbitMQ \($k) failed to be created or updated") else empty end), U("RabbitMQ \($k) status is unknown")`,
  'rabbitmq.com/RabbitmqCluster': `
    def of($t): [conds | select(.type == $t)] | last // {}; of("ClusterAvailable").status as $a | of("AllReplicasReady") as $all | $all.status as $r
    | (.spec.replicas == 0 and $r == "False" and $all.reason == "ScaledToZero") as $off
    | (conds | select(off("ReconcileSuccess")) | D(.message)),
    (if $a == "Unknown" or $r == "Unknown" then P("Waiting for RabbitMQ cluster readiness (conditions unknown)") elif $off then S("RabbitmqCluster is scaled to 0 replicas") elif $a == "False" then P("Waiting for RabbitMQ cluster formation")
      elif $r == "False" then P("Waiting for RabbitMQ instances ready") elif $a == "True" and $r == "True" then H("RabbitMQ cluster ready") else P("Waiting for RabbitMQ Operator") end)`,
  'apps.3scale.net/APIManager': String.raw`
    .status.deployments as $d | (select($d != null and $d.ready != null and $d.starting == null and $d.stopped == null) | H("3scale APIManager is available")),
    (conds | select(.type == "Available") | if .status == "True" then H("3scale APIManager is available") elif (.reason // "") != "" then D("3scale APIManager is degraded: \(.reason)") else empty end),
    P("Waiting for 3scale APIManager status...")`,
  'capabilities.3scale.net/ActiveDoc': `threescale("ActiveDoc"; "Ready"; {Invalid: "configuration is invalid", Orphan: "references non-existing resources", Failed: "synchronization failed"})`,
  'capabilities.3scale.net/Application': `
    .status.adminId as $id | (select(.status.state == "suspended") | S("3scale Application is suspended")),
    (conds | select(.type == "Ready") | if .status == "True" then H("3scale Application is ready") elif ($id | type) == "number" and $id > 0 then empty else D(.message // "3scale Application is not ready") end),
    P("Waiting for 3scale Application status...")`,
  'capabilities.3scale.net/ApplicationAuth': `threescale("ApplicationAuth"; "Ready"; {Failed: "failed"})`,
  'capabilities.3scale.net/Backend': `threescale("Backend"; "Synced"; {Invalid: "configuration is invalid", Failed: "synchronization failed"})`,
  'capabilities.3scale.net/CustomPolicyDefinition': `threescale("CustomPolicyDefinition"; "Ready"; {Invalid: "configuration is invalid", Failed: "synchronization failed"})`,
  'capabilities.3scale.net/DeveloperAccount': `
    first(conds | select(.status == "True" and (.type | IN("Ready", "Invalid", "Failed", "Waiting"))) | if .type == "Waiting" then S(.message // "3scale DeveloperAccount is waiting for approval") else empty end),
    threescale("DeveloperAccount"; "Ready"; {Invalid: "configuration is invalid", Failed: "synchronization failed"})`,
  'capabilities.3scale.net/DeveloperUser': `
    (select(.status.developerUserState == "suspended") | S("3scale Developer user is waiting for admin approval")),
    threescale("DeveloperUser"; "Ready"; {Invalid: "configuration is invalid", Orphan: "references non-existing resources", Failed: "synchronization failed"})`,
  'capabilities.3scale.net/OpenAPI': `threescale("OpenAPI"; "Ready"; {Invalid: "configuration is invalid", Failed: "reconciliation failed"})`,
  'capabilities.3scale.net/Product': `
    threescale("Product"; "Synced"; {Invalid: "configuration is invalid", Orphan: "references non-existing resources", Failed: "synchronization failed"})`,
  'capabilities.3scale.net/ProxyConfigPromote': `
    (conds | if on("Ready") then H("3scale ProxyConfigPromote is ready") elif on("In-progress") then P(.message // "3scale ProxyConfigPromote is in progress")
      elif on("Failed") then D(.message // "3cale ProxyConfigPromote failed") else empty end), P("Waiting for 3scale ProxyConfigPromote status...")`,
  'capabilities.3scale.net/Tenant': `
    def positive: type == "number" and . > 0;
    (select(any(conds; on("Ready")) and (.status.tenantId | positive) and (.status.adminId | positive)) | H("3scale Tenant is ready")),
    (conds | select(.type == "Ready" and .status != "True") | D(.message // "3scale Tenant is degraded")), P("Waiting for 3scale Tenant status...")`,
  'apps.kruise.io/AdvancedCronJob': `
    .status.lastScheduleTime as $t | if $t == null and .spec.paused == true then S("AdvancedCronJob is Paused") elif (.status.active // [] | length) > 0 then P("AdvancedCronJobs has active jobs")
    elif $t == null then D("AdvancedCronJobs has not run successfully") else H("AdvancedCronJobs has run successfully") end`,
  'apps.kruise.io/BroadcastJob': `
    .status as $s | if $s.desired == $s.succeeded and $s.phase == "completed" then H("BroadcastJob is completed successfully") elif $s.active != 0 and $s.phase == "running" then P("BroadcastJob is still running")
    elif $s.failed != 0 and $s.phase == "failed" then D("BroadcastJob failed") elif $s.phase == "paused" and .spec.paused == true then S("BroadcastJob is Paused") else P("BroadcastJob is still running") end`,
  'apps.kruise.io/CloneSet': `
    .status as $s | .spec.updateStrategy as $u | if $s == null or .metadata.generation != $s.observedGeneration then P("Waiting for initialization")
    elif $u.paused == true or $s.updatedAvailableReplicas == null then S("Cloneset is paused")
    elif $u.partition != 0 and .metadata.generation > 1 then if $s.updatedReplicas >= $s.expectedUpdatedReplicas then S("Cloneset needs manual intervention") else P("Waiting for initialization") end
    elif $s.updatedAvailableReplicas == $s.replicas then H("All Cloneset workloads are ready and updated") else D("Some replicas are not ready or available") end`,
  'apps.kruise.io/DaemonSet': `
    .status as $s | .spec.updateStrategy.rollingUpdate as $u | if $s == null or .metadata.generation != $s.observedGeneration then P("Waiting for initialization")
    elif $u.paused == true or $s.updatedNumberScheduled == null then S("Daemonset is paused")
    elif ($u.partition // 0) != 0 and .metadata.generation > 1 then if $s.updatedNumberScheduled > $s.desiredNumberScheduled - $u.partition then S("Daemonset needs manual intervention") else P("Waiting for initialization") end
    elif $s.updatedNumberScheduled == $s.desiredNumberScheduled and $s.numberAvailable == $s.desiredNumberScheduled then H("All Daemonset workloads are ready and updated")
    elif $s.updatedNumberScheduled == $s.desiredNumberScheduled and $s.numberUnavailable == $s.desiredNumberScheduled then D("Some pods are not ready or available") else P("Waiting for initialization") end`,
  'apps.kruise.io/StatefulSet': `
    .status as $s | .spec.updateStrategy.rollingUpdate as $u | if $s == null or .metadata.generation != $s.observedGeneration then P("Waiting for initialization")
    elif $u.paused == true or $s.updatedAvailableReplicas == null then S("Statefulset is paused")
    elif $u.partition != 0 and .metadata.generation > 1 then if $s.updatedReplicas > $s.replicas - $u.partition then S("Statefulset needs manual intervention") else P("Waiting for initialization") end
    elif $s.updatedAvailableReplicas == $s.replicas then H("All Statefulset workloads are ready and updated") else D("Some replicas are not ready or available") end`,
  'rollouts.kruise.io/Rollout': `
    .status as $s | $s.canaryStatus.currentStepState as $c | if .metadata.generation != $s.observedGeneration then P("Rollout is still progressing")
    elif $c == "StepPaused" and $s.phase == "Progressing" then S("Rollout is Paused need manual intervention") elif $c == "Completed" and $s.phase == "Healthy" then H("Rollout is Completed")
    elif $c == "StepPaused" and ($s.phase | IN("Terminating", "Disabled")) then D("Rollout is Disabled or Terminating") else P("Rollout is still progressing") end`,
  'game.kruise.io/GameServer': String.raw`
    .status as $s | if $s == null then U("Waiting for GameServer to be ready") elif $s.currentState != $s.desiredState then P("State change: \($s.currentState // "Unknown") → \($s.desiredState // "Unknown")")
    else first((($s.podStatus.conditions // [])[] | select(.type == "KruisePodReady" and .status != "True") | D("Pod is not ready: \(.type)")),
      (if $s.currentState == "Ready" then H("GameServer is Ready") else U("Waiting for GameServer to be ready") end)) end`,
  'game.kruise.io/GameServerSet': String.raw`
    .status as $s | (.spec.updateStrategy.rollingUpdate // {}) as $u | ($u.partition // 0) as $p | ($s.replicas // 0) as $n
    | if $s == null or .metadata.generation != $s.observedGeneration then P("Waiting for GameServerSet initialization") elif $u.paused == true then S("GameServerSet is paused")
      elif $p != 0 and ($s.updatedReplicas // 0) >= $n - $p then S("Partition=\($p), waiting for manual intervention") elif ($s.updatedReadyReplicas // 0) == $n then H("All GameServerSet replicas are updated and ready")
      elif ($s.readyReplicas // 0) < $n then P("ReadyReplicas \($s.readyReplicas // 0)/\($n), still progressing") else P("Waiting for GameServerSet initialization") end`,
  'core.humio.com/HumioAction,HumioAlert,HumioIngestToken,HumioParser,HumioRepository,HumioView': String.raw`
    .status.state | "Component state: \(.)." as $m | if . == "Exists" then H($m) elif . == "NotFound" then M($m) elif . == "ConfigError" then D($m) elif . == "Unknown" then U($m) else P("Update in progress") end`,
  'core.humio.com/HumioCluster': `
    .status as $s | {Running: H("Cluster is in a healthy running state"), Restarting: P("Cluster pods are being restarted"), Upgrading: P("Cluster pods are being upgraded"),
      ConfigError: D("User-provided cluster specification resulted in a configuration error"), Pending: P("Cluster is waiting on resources to be provisioned"), Unknown: U("Component state: Unknown.")}[$s.state // ""]
    | if . == null then P("Update in progress") else .message = ($s.message // .message) end`,
  'core.spinkube.dev/SpinApp': String.raw`
    .status as $s | (.spec.replicas // 1) as $n | ($s.readyReplicas // 0) as $r | ([conds | select(.type == "Available")] | last) as $a | ([conds | select(on("Progressing"))] | last) as $p
    | if $s == null then P("Waiting for status to be available") else first(
      (conds | select(off("Progressing") and (.reason == "ProgressDeadlineExceeded" or ((.message // "") | ascii_downcase | test("timeout|failed")))) | D(.message // "Application deployment has failed")),
      (if $a.status == "True" then empty elif $a == null then D("") else D($a.message // "Application is not available") end),
      (if $r < $n then P("Waiting for replicas to be ready (\($r)/\($n))") else empty end), ($p // empty | P(.message // "Application progress status")), H("Application is healthy with \($r)/\($n) replicas ready")) end`,
  'flink.apache.org/FlinkDeployment': `
    .status as $s | $s.reconciliationStatus as $r | if $r.success == true or $r.state == "DEPLOYED" then H("")
    elif $r != null and ($s.jobManagerDeploymentStatus | IN("DEPLOYED_NOT_READY", "DEPLOYING")) then P("Waiting for deploying") elif $r != null and $s.jobManagerDeploymentStatus == "ERROR" then D($r.error)
    elif .spec.job.state == "suspended" and $r.lastReconciledSpec == null then H("Job is suspended") else P("Waiting for Flink operator") end`,
  'k8s.keycloak.org/Keycloak': String.raw`
    if .status.conditions == null then P("Waiting for Keycloak status conditions to exist") else first((.status.conditions | sort_by(.lastTransitionTime == null, .lastTransitionTime)[]
      | if on("Ready") then H("") elif on("HasErrors") then D("Has Errors: \(.message)") else empty end), P("")) end`,
  'openfaas.com/Function': `
    (.status.replicas // 0) as $n | (conds | if off("Ready") or on("Stalled") then D(.message) elif on("Ready") then if $n > 0 then H(.message) else S("No replicas available") end else empty end), P("Waiting for Function")`,
  'operator.knative.dev/KnativeEventing': `knative("KnativeEventing"; ["Ready", "InstallSucceeded"]; ["Ready"])`,
  'operator.knative.dev/KnativeServing': `
    knative("KnativeServing"; ["Ready", "InstallSucceeded", "DependenciesInstalled", "DeploymentsAvailable"]; ["Ready", "DeploymentsAvailable"])`,
  'serving.knative.dev/Service': String.raw`
    if .status.conditions == null then P("Waiting for status update.") else
      ([conds | select(.status == "True" and (.type | IN("ConfigurationsReady", "RoutesReady", "Ready")))] | length) as $good
      | [conds | select(.status == "False")] as $bad | [conds | select(.status == "Unknown")] as $open
      | ([conds | select(.status == "False" or .status == "Unknown") | "\(.type) is \(.status)" + (if (.reason // "") != "" then ", since \(.reason)." else "" end) + (if (.message // "") != "" then " \(.message)" else "" end) + "\n"] | add // "") as $m
      | if $good == 3 and $bad == [] and $open == [] then H("Knative Service is healthy.") elif $bad != [] then D($m) else P($m) end end`,
  'serving.kserve.io/InferenceService': String.raw`
    .status as $s | $s.modelStatus.transitionStatus as $t | ($s.modelStatus != null and $t != "UpToDate") as $moving | ($moving and $t != "InProgress") as $degraded
    | if $s.conditions == null then P("Waiting for InferenceService to report status...")
      elif any(conds; on("Stopped")) then S("InferenceService is Stopped")
      else ([$s.conditions | to_entries[] | .key as $i | .value | select(.status != "True" and .type != "Stopped") | " | \($i + 1): \(.type) | \(.status)" + (if (.reason // "") != "" then " | \(.reason)" else "" end) + (if (.message // "") != "" then " | \(.message)" else "" end)] | add // "") as $m
        | ((if $moving then "0: transitionStatus | \($t)" else "" end) + $m) as $all
        | if ($moving | not) and all(conds; .status != "Unknown" and (.status != "False" or .type == "Stopped")) then H("InferenceService is healthy.") elif $degraded then D($all) else P($all) end end`,
  'sparkoperator.k8s.io/SparkApplication': String.raw`
    def spark($prefix): .spec.sparkConf as $c | if $c["\($prefix).enabled"] == "true" then [($c["\($prefix).minExecutors"] // "0" | tonumber), ($c["\($prefix).maxExecutors"] // "1e300" | tonumber)] else null end;
    .status.applicationState as $a | (if .spec.dynamicAllocation.enabled == true then [(.spec.dynamicAllocation.minExecutors // 0), (.spec.dynamicAllocation.maxExecutors // 1e300)]
      else spark("spark.streaming.dynamicAllocation") // spark("spark.dynamicAllocation") end) as $range
    | ([(.status.executorState // {})[] | select(. == "RUNNING")] | length) as $n | .spec.executor.instances as $i
    | if $a.state == "" then P("SparkApplication was added, enqueuing it for submission")
      elif $a.state == "RUNNING" then if .status.executorState != null and ($i != null and $i == $n or ($range != null and $n >= $range[0] and $n <= $range[1]) or ($range == null and .spec.dynamicAllocation == null and $i == null and $n >= 1))
        then H("SparkApplication is Running") else P("Waiting for Executor pods") end
      elif $a.state == "SUBMITTED" then P("SparkApplication was submitted successfully") elif $a.state == "COMPLETED" then H("SparkApplication was Completed")
      elif $a.state | IN("FAILED", "SUBMISSION_FAILED", "FAILING") then D($a.errorMessage) elif $a.state == "PENDING_RERUN" then P("SparkApplication is Pending Rerun")
      elif $a.state == "INVALIDATING" then M("SparkApplication is in InvalidatingState")
      elif $a.state == "SUCCEEDING" then P("The driver pod has been completed successfully. The executor pods terminate and are cleaned up.\nUnder this circumstances, we assume the executor pod are completed.")
      elif $a.state == "UNKNOWN" then P("SparkApplication is in UnknownState because either driver pod or one or all executor pods in unknown state ") else P("Waiting for Executor pods") end`,
  'spot.io/SpotDeployment': `
    if .status.conditions == null then {status: ""} else first((conds | if .type == "InvalidSpec" or (.type == "Progressing" and (.reason | IN("RolloutAborted", "ProgressDeadlineExceeded"))) then D(.message)
      elif on("Paused") then S("Rollout is paused") else empty end), (if .status.phase == "Progressing" then P("Waiting for rollout to finish steps") else H("") end)) end`,
};

export const SERVICE_WORDS = String.raw`
def mariadb: if .status.conditions == null then P("No status info available") else first((conds | select(.status == "False") | if .reason == "Failed" then D(.message) else P(.message) end), ([conds] | last | H(.message?))) end;
def altinity($what): .status.status | if . == null then P("\($what) status not yet available") elif . == "Completed" then H("\($what) installation completed successfully")
  elif . == "InProgress" then P("\($what) installation in progress") else D("\($what) status: \(.)") end;
def strimzi($waiting): (conds | if on("NotReady") then D(.message) elif on("Ready") then H("") else empty end), P($waiting);
def threescale($what; $good; $bad): (conds | select(.status == "True") | .type as $t | if $t == $good then H("3scale \($what) is \($good | ascii_downcase)")
    elif $bad[$t] != null then D(.message // "3scale \($what) \($bad[$t])") else empty end), P("Waiting for 3scale \($what) status...");
def knative($what; $good; $bad): if .status.conditions == null then P("Waiting for \($what)") else (.status.conditions | enumerated) as $m
  | ([conds | select(.status == "True" and (.type as $t | $good | index([$t])))] | length) as $n
  | if any(conds; .status == "Unknown" or (.status == "False" and (.type as $t | $bad | index([$t])))) then P($m) elif $n == ($good | length) then H("\($what) is healthy.") else D($m) end end;
`;
