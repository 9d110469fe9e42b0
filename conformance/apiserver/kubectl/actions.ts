/** What a person does with kubectl, in order, in a namespace of its own. Both clusters must print the same. */
export interface Action {
  /** Words as in a shell; quotes keep spaces together. `FILE:name` is a file of `FILES`. */
  readonly args: string;
  readonly input?: string;
  readonly editor?: string;
  /** Why the texts may differ, with the lines to leave out. */
  readonly leaveOut?: RegExp;
  /** The order of lines is not the same from run to run. */
  readonly sorted?: boolean;
  /** Only the exit code and that something is printed count. */
  readonly onlyCode?: boolean;
  /** Waits until the command gives 0. */
  readonly until?: string;
}

const pod = `containers:
      - name: web
        image: registry.example/web:1
        ports: [{containerPort: 80, name: http}]
        env: [{name: A, value: b}]
        resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 32Mi}}
        livenessProbe: {httpGet: {path: /healthz, port: http}}
        volumeMounts: [{name: config, mountPath: /config}]
      volumes: [{name: config, configMap: {name: settings}}]`;

const web = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      ${pod}
`;

const service = `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
`;

const settings = `apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {part: config}}
data: {a: "1", b: "2"}
`;

const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  names: {plural: gadgets, kind: Gadget, shortNames: [gd], categories: [all, gizmos]}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size, description: How large.}
    - {name: Wide, type: string, jsonPath: .spec.note, priority: 1}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    schema:
      openAPIV3Schema:
        type: object
        description: A gadget of some size.
        required: [spec]
        properties:
          spec:
            type: object
            description: What it shall be.
            required: [size]
            x-kubernetes-validations:
            - {rule: "self.size >= self.min", message: size must be at least min}
            properties:
              size: {type: integer, minimum: 0, maximum: 100, description: How large it is.}
              min: {type: integer, default: 1}
              note: {type: string, enum: [a, b], description: A letter.}
              replicas: {type: integer, default: 1}
              ports:
                type: array
                description: Where it listens.
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  required: [name]
                  properties: {name: {type: string}, port: {x-kubernetes-int-or-string: true}}
          status: {type: object, properties: {replicas: {type: integer}}}
`;

const gadget = (spec: string): string =>
  `apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}\nspec: ${spec}\n`;

const signingRequest = `apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: asked}
spec:
  signerName: example.com/signer
  usages: [client auth]
  request: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQ1pEQ0NBVXdDQVFBd0h6RU9NQXdHQTFVRUF3d0ZZWE5yWldReERUQUxCZ05WQkFvTUJIUmxZVzB3Z2dFaQpNQTBHQ1NxR1NJYjNEUUVCQVFVQUE0SUJEd0F3Z2dFS0FvSUJBUURENytuemQvd2J5SE1IRmV5dUdvZjdUUzBhClJnRGtYSXZDb0JvS0JWV0Q2V2loVnY5NWxYdWpGRGRrdnRKZ0lSUmR2VWs1NW5SUVkzZUFjb1JMTUg0ZU44eXQKWEplTm5BZ3NlTlJOYmxsOUpQR0Y4bDhhbkFHai9XMG1ib01JTnJ4MlRkU0tIcDJVTWVRTlpiZHV3WE1reE84ago5Z2I0OVdkbU8yK0VkcEQvVUdPbVMrLzJXbWZkQzNVb0pEM3ZHU2ZDRFpEWGpDSmxTeWdpMmdVajA0bW5XbllnCnRPU05uRWVFYmR3Wm5lOGNxVFB0c1dLZ3dJczVzdnM1NDJSbmlhN0ZleFZLTk41VVFmTnpxamNGK2loYS9vUkMKZ0xCQ1lUYk51SW0remNjSVpLZVBPNUFCWEM5RmViNDBTRlRvM0pRbUx2b3IxNFdXVGxaWkZTUVBCZjlWQWdNQgpBQUdnQURBTkJna3Foa2lHOXcwQkFRc0ZBQU9DQVFFQUJKbVNhdlNGV1pJajR6ZHpRVXp0dUpqTnhrRldNYXl3CkU4VGpXOElPN3ZGMTJMZmFzTUVjZkZDOWNOM1BaREYrcjlvZ2trNmdMQ0JVM2I3KzM1eVBMZFJRSmRnVkg4ZHoKUmxXU2lWWExzazl2Nmx4WjdubnlJV1NBUGdEcm01NzRlUkR6Kzd1dkhNcWM0ZGI3V3dad2RSdEJMNFJ5ak5RcgpzaldmYTlIQmlNR2NZMkxQNkdOcmozc2Y3UTJhUk9maUZ6dWpoY0I4WFdyWnVyNVhWb2xMQUFnVW9paG55eGF1CmwwWXFoYmxoVzZWT1lFSndYeVcwdnZMOUZoYk0wOXBhc3BSclFOWExLdjhESERHOWdvd3VOTmh4clM4bkhYNngKajNkRkZVUmJPMkFSOXdCbkZLWjRhSVlmMjJWUEs0QWU3YkRwdzMxUnFNYktBbW9iaGRvSzNRPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==
`;

const everything = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {k: v}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: robot}}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: [{apiGroups: [""], resources: [pods, pods/log], verbs: [get, list]}]}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: rb}, roleRef: {kind: Role, name: r, apiGroup: rbac.authorization.k8s.io}, subjects: [{kind: ServiceAccount, name: robot, namespace: kc}]}
- {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i}, spec: {rules: [{host: a.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}}
- {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: np}, spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}]}}
- {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: pdb}, spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}}
- {apiVersion: v1, kind: LimitRange, metadata: {name: lr}, spec: {limits: [{type: PersistentVolumeClaim, max: {storage: 2Gi}}]}}
- {apiVersion: v1, kind: ResourceQuota, metadata: {name: rq}, spec: {hard: {configmaps: "10", secrets: "10"}}}
- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: pvc}, spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Gi}}}}
- {apiVersion: v1, kind: Endpoints, metadata: {name: ext}, subsets: [{addresses: [{ip: 192.0.2.7}], ports: [{port: 80}]}]}
- {apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: l}, spec: {holderIdentity: me, leaseDurationSeconds: 15}}
- {apiVersion: batch/v1, kind: CronJob, metadata: {name: cj}, spec: {schedule: "0 0 1 1 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}}}}
- {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: hpa}, spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: nothing}, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]}}
`;

export const FILES: Readonly<Record<string, string>> = {
  'web.yaml': `${settings}---\n${web}---\n${service}`,
  'changed.yaml': web.replace('web:1', 'web:2').replace('replicas: 2', 'replicas: 3'),
  'bad.yaml': web.replace('replicas: 2', 'replicas: -1'),
  'unknown.yaml': settings.replace('data:', 'dta:'),
  'crd.yaml': definition,
  'gadget.yaml': gadget('{size: 5, ports: [{name: a, port: 80}]}'),
  'everything.yaml': everything,
  'kustomization.yaml':
    'resources: [settings.yaml]\nnamePrefix: k-\nconfigMapGenerator: [{name: gen, literals: [x=y]}]\n',
  'settings.yaml': settings,
};

/** `rollout status` shows each step it happens to see. */
const STEPS = /^Waiting for /;
/** The simulated kubelets of the two clusters tell a container's start differently. */
const NODE_TEXT = /^( {2}Normal| {2}Warning)/;

/** The sandbox has something that serves Ingresses, and so they get an address. */
const BALANCED = /^ingress\.networking|^Address:|loadBalancer|ingress:$|- ip: /;

/** The sandbox brings a Metrics API with it, a bare control plane does not. */
const METRICS = /metrics\.k8s\.io/;

const wait = (what: string): Action => ({ args: `${what} --timeout=60s`, leaveOut: STEPS });

export const ACTIONS: readonly Action[] = [
  { args: 'diff -f FILE:web.yaml', onlyCode: true },
  { args: 'apply -f FILE:web.yaml --dry-run=client' },
  { args: 'apply -f FILE:web.yaml --dry-run=server' },
  { args: 'apply -f FILE:web.yaml' },
  { args: 'apply -f FILE:web.yaml' },
  { args: 'diff -f FILE:web.yaml' },
  wait('rollout status deployment/web'),
  { args: 'get deployments' },
  { args: 'get deployment web -o wide' },
  { args: 'get replicasets' },
  { args: 'get pods', sorted: true },
  { args: 'get pods -o wide', sorted: true },
  { args: 'get pods --show-labels', sorted: true },
  { args: 'get pods -L app -l app=web', sorted: true },
  { args: 'get services' },
  { args: 'get svc web -o wide' },
  { args: 'get endpoints web' },
  { args: 'get endpointslices -l kubernetes.io/service-name=web' },
  { args: 'get cm,svc,deploy' },
  { args: 'get all', sorted: true },
  { args: 'get configmap settings -o yaml' },
  { args: 'get configmap settings -o json' },
  { args: 'get deployment web -o yaml' },
  { args: 'get service web -o yaml' },
  { args: "get pods -o 'jsonpath={.items[*].status.phase}'" },
  {
    args: 'get pods -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image',
    sorted: true,
  },
  { args: "get deployment web -o 'go-template={{.spec.replicas}}'" },
  { args: 'get pods --field-selector=status.phase=Running -o name', sorted: true },
  { args: 'get pods --field-selector=status.phase=Pending' },
  { args: 'get pods --field-selector=spec.nonsense=x' },
  { args: 'get events --field-selector=involvedObject.kind=Deployment' },
  { args: 'get configmaps --sort-by=.metadata.name' },
  { args: 'get configmap nope' },
  { args: 'get nope' },
  { args: 'get deployment web settings --ignore-not-found' },
  { args: 'describe deployment web' },
  { args: 'describe service web' },
  { args: 'describe configmap settings' },
  { args: 'describe pods -l app=web', leaveOut: NODE_TEXT, onlyCode: true },
  { args: 'describe replicaset -l app=web' },
  { args: 'rollout history deployment/web' },
  { args: 'rollout history deployment/web --revision=1' },
  { args: 'apply -f FILE:changed.yaml' },
  wait('rollout status deployment/web'),
  { args: 'rollout history deployment/web' },
  { args: 'rollout undo deployment/web' },
  wait('rollout status deployment/web'),
  { args: "get deployment web -o 'jsonpath={.spec.template.spec.containers[0].image}'" },
  { args: 'rollout restart deployment/web' },
  wait('rollout status deployment/web'),
  { args: 'rollout pause deployment/web' },
  { args: 'set image deployment/web web=registry.example/web:9' },
  { args: 'rollout history deployment/web' },
  { args: 'rollout resume deployment/web' },
  wait('rollout status deployment/web'),
  { args: 'rollout undo deployment/web --to-revision=99' },
  { args: 'scale deployment/web --replicas=1' },
  { args: 'scale deployment/web --replicas=5 --current-replicas=3' },
  wait('rollout status deployment/web'),
  { args: 'autoscale deployment web --min=1 --max=4 --cpu=50%' },
  { args: 'delete hpa web' },
  { args: 'set env deployment/web NEW=value' },
  { args: 'set env deployment/web --list' },
  { args: 'set resources deployment/web --limits=cpu=100m,memory=64Mi' },
  { args: 'set serviceaccount deployment/web default' },
  wait('rollout status deployment/web'),
  { args: 'label deployment web tier=front' },
  { args: 'label deployment web tier=back' },
  { args: 'label deployment web tier=back --overwrite' },
  { args: 'label deployment web tier-' },
  { args: 'annotate deployment web note=hello' },
  { args: 'annotate deployment web note-' },
  { args: 'patch deployment web -p \'{"spec":{"replicas":2}}\'' },
  { args: 'patch deployment web --type=merge -p \'{"spec":{"minReadySeconds":0}}\'' },
  {
    args: 'patch deployment web --type=json -p \'[{"op":"test","path":"/spec/replicas","value":7}]\'',
  },
  { args: 'patch deployment web --subresource=scale --type=merge -p \'{"spec":{"replicas":1}}\'' },
  { args: 'edit deployment web', editor: 'sed -i s/replicas:.*/replicas:\\ 2/' },
  { args: 'edit deployment web', editor: 'true' },
  wait('wait deployment/web --for=condition=Available'),
  wait("wait deployment/web '--for=jsonpath={.status.readyReplicas}=2'"),
  { args: 'wait deployment/web --for=condition=Nope --timeout=1s' },
  { args: 'apply -f FILE:bad.yaml' },
  { args: 'apply -f FILE:unknown.yaml' },
  { args: 'apply -f FILE:unknown.yaml --validate=warn' },
  { args: 'create -f FILE:web.yaml' },
  { args: 'replace -f FILE:web.yaml' },
  { args: 'apply --server-side -f FILE:web.yaml' },
  { args: 'apply --server-side --field-manager=other -f FILE:changed.yaml' },
  { args: 'apply --server-side --field-manager=other --force-conflicts -f FILE:changed.yaml' },
  { args: 'apply --server-side -f FILE:web.yaml' },
  { args: 'get deployment web -o yaml --show-managed-fields', onlyCode: true },
  { args: 'apply view-last-applied configmap settings' },
  { args: 'create configmap made --from-literal=a=b --dry-run=client -o yaml' },
  { args: 'create configmap made --from-literal=a=b' },
  { args: 'create configmap made --from-literal=a=b' },
  { args: 'create secret generic hush --from-literal=p=q' },
  { args: 'get secret hush -o yaml' },
  { args: 'describe secret hush' },
  {
    args: 'create secret docker-registry reg --docker-server=r.example --docker-username=u --docker-password=p',
  },
  { args: 'get secrets' },
  { args: 'create deployment quick --image=x --replicas=1' },
  wait('rollout status deployment/quick'),
  { args: 'expose deployment quick --port=80 --name=quick' },
  { args: 'run once --image=x' },
  wait('wait pod/once --for=jsonpath={.status.phase}=Running'),
  { args: 'run once --image=x' },
  { args: 'expose pod once --port=80' },
  { args: 'delete pod once --now' },
  { args: 'create job j --image=x -- true' },
  { args: 'get jobs', onlyCode: true },
  { args: 'delete job j' },
  { args: 'create job from-cron --from=cronjob/none' },
  { args: 'apply -f FILE:everything.yaml' },
  { args: 'get secret,sa,role,rolebinding', sorted: true },
  { args: 'get ingress,networkpolicy,pdb', leaveOut: BALANCED },
  {
    args: 'get pvc,limitrange,resourcequota',
    until: 'get rq rq -o jsonpath={.status.used.secrets}',
  },
  { args: 'get lease,cronjob,hpa,endpoints' },
  { args: 'describe role r' },
  { args: 'describe rolebinding rb' },
  { args: 'describe ingress i', leaveOut: BALANCED },
  { args: 'describe networkpolicy np' },
  { args: 'describe pdb pdb', leaveOut: NODE_TEXT },
  { args: 'describe limitrange lr' },
  { args: 'describe resourcequota rq' },
  { args: 'describe serviceaccount robot' },
  { args: 'describe cronjob cj' },
  { args: 'describe lease l' },
  { args: 'get cronjob cj -o yaml' },
  { args: 'get ingress i -o yaml', leaveOut: BALANCED },
  { args: 'create job from-cron --from=cronjob/cj' },
  { args: 'auth can-i get pods --as=system:serviceaccount:kc:robot' },
  { args: 'auth can-i delete pods --as=system:serviceaccount:kc:robot' },
  { args: 'auth can-i get pods/log --as=system:serviceaccount:kc:robot' },
  { args: 'auth can-i --list --as=system:serviceaccount:kc:robot', sorted: true },
  { args: 'get pods --as=system:serviceaccount:kc:robot -o name', sorted: true },
  { args: 'delete pod x --as=system:serviceaccount:kc:robot' },
  { args: 'get secrets --as=system:anonymous' },
  { args: 'create token robot --duration=1h', onlyCode: true },
  { args: 'auth whoami --as=jane --as-group=devs' },
  { args: 'apply -f FILE:crd.yaml' },
  wait('wait crd/gadgets.example.com --for=condition=Established'),
  { args: 'get crd gadgets.example.com' },
  { args: 'apply -f FILE:gadget.yaml' },
  { args: 'apply -f FILE:gadget.yaml' },
  { args: 'get gd' },
  { args: 'get gadgets -o wide' },
  { args: 'get gizmos' },
  { args: 'get gadget g -o yaml' },
  { args: 'describe gadget g' },
  { args: 'apply -f -', input: gadget('{size: 0}') },
  { args: 'apply -f -', input: gadget('{size: 500}') },
  { args: 'apply -f -', input: gadget('{size: 5, note: z}') },
  { args: 'apply -f -', input: gadget('{size: five}') },
  // The refused object stands in the message, with its resourceVersion.
  { args: 'apply -f -', input: gadget('{size: 5, more: x}'), onlyCode: true },
  { args: 'apply -f -', input: gadget('{}') },
  { args: 'apply --server-side -f -', input: gadget('{size: 6, ports: [{name: b, port: x}]}') },
  { args: 'scale gadget g --replicas=3' },
  { args: 'patch gadget g --type=merge -p \'{"spec":{"size":7}}\'' },
  { args: 'patch gadget g -p \'{"spec":{"size":8}}\'' },
  { args: 'patch gadget g --subresource=status --type=merge -p \'{"status":{"replicas":2}}\'' },
  { args: 'explain gadget' },
  { args: 'explain gadget.spec' },
  { args: 'explain gadget.spec.ports --recursive' },
  { args: 'explain deployment.spec.strategy' },
  { args: 'explain pod.spec.containers.livenessProbe' },
  { args: 'explain deployment --recursive' },
  { args: 'explain cronjob.spec.nope' },
  { args: 'explain pods --output=plaintext-openapiv2', onlyCode: true },
  { args: 'api-resources --namespaced=true -o name', sorted: true, leaveOut: METRICS },
  { args: 'api-resources --namespaced=false', sorted: true, leaveOut: METRICS },
  { args: 'api-resources --api-group=example.com' },
  { args: 'api-versions', leaveOut: METRICS },
  { args: 'kustomize DIR' },
  { args: 'apply -k DIR' },
  { args: 'delete -k DIR' },
  { args: 'apply -f FILE:settings.yaml --prune -l part=config' },
  { args: 'taint node NODE key=value:NoSchedule' },
  { args: 'taint node NODE key-' },
  { args: 'cordon NODE' },
  { args: 'get nodes -o name' },
  { args: 'uncordon NODE' },
  { args: 'label node NODE zone=a' },
  { args: 'label node NODE zone-' },
  { args: 'apply view-last-applied -f FILE:settings.yaml' },
  { args: 'apply set-last-applied -f FILE:settings.yaml' },
  { args: 'apply set-last-applied -f FILE:changed.yaml' },
  { args: 'diff --server-side -f FILE:settings.yaml' },
  { args: 'diff --server-side --force-conflicts -f FILE:changed.yaml', onlyCode: true },
  wait("wait configmap/settings '--for=jsonpath={.data.a}=1'"),
  wait('wait configmap/settings --for=create'),
  { args: "wait configmap/settings '--for=jsonpath={.data.a}=7' --timeout=1s" },
  { args: 'create -f -', input: signingRequest },
  { args: 'get csr asked -o name' },
  { args: 'certificate approve asked' },
  { args: 'certificate deny asked' },
  { args: 'certificate approve nobody' },
  { args: 'delete csr asked' },
  { args: 'auth whoami -o json', onlyCode: true },
  { args: 'auth can-i --list', sorted: true, onlyCode: true },
  { args: 'events --for deployment/nothing' },
  { args: 'get --raw /apis/apps' },
  { args: 'get --raw /api/v1/namespaces/kc/configmaps/nope' },
  { args: 'get --raw /nothing/here' },
  { args: 'drain NODE --dry-run=server --ignore-daemonsets --force', onlyCode: true },
  { args: 'replace --force -f FILE:settings.yaml' },
  { args: 'delete service quick --dry-run=server' },
  { args: 'delete deployment quick --cascade=orphan' },
  { args: 'get replicasets -l app=quick' },
  { args: 'delete replicaset -l app=quick --cascade=foreground' },
  { args: 'delete deployment web --cascade=background' },
  { args: 'delete configmap made settings nope' },
  { args: 'delete configmap --all --dry-run=server', sorted: true },
  { args: 'delete -f FILE:everything.yaml' },
  { args: 'delete crd gadgets.example.com' },
  { args: 'get gadgets' },
  { args: 'delete namespace kc' },
  { args: 'get namespace kc' },
  { args: 'version -o json', onlyCode: true },
  { args: 'cluster-info', onlyCode: true },
  { args: 'get --raw /healthz' },
  { args: "get --raw '/readyz?verbose'", onlyCode: true },
];
