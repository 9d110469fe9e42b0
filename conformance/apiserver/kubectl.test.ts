import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { kubeboxPath, whyNoCluster } from '../cluster/cluster.ts';

const MANIFEST = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "app:1", ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`;

const DEFINITION = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, description: What it shall be., properties: {size: {type: integer, default: 3}}}
`;

describe('the real kubectl works with the sandbox', { skip: whyNoCluster() }, () => {
  let sandbox: Sandbox;
  const directory = mkdtempSync(join(tmpdir(), 'kubectl-test-'));
  const manifest = join(directory, 'app.yaml');

  before(async () => {
    sandbox = await startSandbox();
    writeFileSync(manifest, MANIFEST);
    writeFileSync(join(directory, 'crd.yaml'), DEFINITION);
  });
  after(async () => {
    await sandbox.close();
    rmSync(directory, { recursive: true, force: true });
  });

  // The sandbox answers from this process, so kubectl must not be waited for synchronously.
  const kubectl = (
    args: string,
    options: { readonly input?: string; readonly code?: number } = {},
  ): Promise<string> =>
    new Promise((resolve, reject) => {
      const words = args.match(/'[^']*'|\S+/g)?.map((word) => word.replace(/^'|'$/g, '')) ?? [];
      const child = spawn(
        kubeboxPath(),
        [
          'kubectl',
          `--kubeconfig=${sandbox.kubeconfigPath}`,
          `--cache-dir=${directory}/cache`,
          ...words,
        ],
        {
          env: { ...process.env, KUBE_EDITOR: 'sed -i s/replicas:.*/replicas:\\ 3/' },
        },
      );
      let output = '';
      child.stdout.on('data', (chunk) => {
        output += String(chunk);
      });
      child.stderr.on('data', (chunk) => {
        output += String(chunk);
      });
      child.on('error', reject);
      child.on('close', (code) => {
        if (code === (options.code ?? 0)) resolve(output);
        else reject(new Error(`kubectl ${args}: exit ${code}\n${output}`));
      });
      child.stdin.end(options.input ?? '');
    });

  test('apply, twice, and diff', async () => {
    assert.match(await kubectl(`diff -f ${manifest}`, { code: 1 }), /\+kind: Deployment/);
    assert.equal(
      await kubectl(`apply -f ${manifest}`),
      'deployment.apps/web created\nservice/web created\n',
    );
    assert.equal(
      await kubectl(`apply -f ${manifest}`),
      'deployment.apps/web unchanged\nservice/web unchanged\n',
    );
    assert.equal(await kubectl(`diff -f ${manifest}`), '');
  });

  test('apply on the server side takes over from client-side apply', async () => {
    assert.match(
      await kubectl(`apply --server-side -f ${manifest}`),
      /deployment.apps\/web serverside-applied/,
    );
    const conflict = await kubectl('apply --server-side --field-manager=other -f -', {
      input: MANIFEST.replace('app:1', 'app:9'),
      code: 1,
    });
    assert.match(conflict, /Apply failed with 1 conflict: conflict with "kubectl"/);
  });

  test('rollout status, history, restart, undo, scale, set image', async () => {
    assert.match(
      await kubectl('rollout status deployment/web --timeout=30s'),
      /successfully rolled out/,
    );
    assert.equal(
      await kubectl('scale deployment/web --replicas=4'),
      'deployment.apps/web scaled\n',
    );
    assert.match(
      await kubectl('rollout status deployment/web --timeout=30s'),
      /successfully rolled out/,
    );
    assert.equal(
      await kubectl('set image deployment/web web=app:2'),
      'deployment.apps/web image updated\n',
    );
    assert.match(
      await kubectl('rollout status deployment/web --timeout=30s'),
      /successfully rolled out/,
    );
    assert.match(await kubectl('rollout history deployment/web'), /1 .*\n2 /);
    assert.match(await kubectl('rollout undo deployment/web'), /rolled back/);
    assert.match(await kubectl('rollout restart deployment/web'), /restarted/);
    assert.match(
      await kubectl('rollout status deployment/web --timeout=30s'),
      /successfully rolled out/,
    );
    assert.equal(
      await kubectl("get deployment/web -o 'jsonpath={.spec.template.spec.containers[0].image}'"),
      'app:1',
    );
  });

  test('get shows the columns of the kind', async () => {
    assert.match(
      await kubectl('get pods'),
      /^NAME +READY +STATUS +RESTARTS +AGE\nweb-\S+ +1\/1 +Running +0 /,
    );
    assert.match(
      await kubectl('get deployments -o wide'),
      /NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\nweb +4\/4/,
    );
    assert.match(await kubectl('get service web'), /ClusterIP +10\.0\.\d+\.\d+ +<none> +80\/TCP/);
    assert.match(await kubectl('get all'), /deployment.apps\/web/);
    assert.match(await kubectl('get events'), /ScalingReplicaSet/);
    assert.match(await kubectl('get nodes'), /sandbox-0 +Ready/);
  });

  test('describe, logs, top of the life of a pod', async () => {
    assert.match(
      await kubectl('describe deployment web'),
      /NewReplicaSet: +web-\S+ \(4\/4 replicas created\)/,
    );
    // kubectl leaves the events out where it describes more than one object.
    const [pod] = (await kubectl('get pods -o name')).split('\n');
    assert.match(await kubectl(`describe ${pod}`), /Normal +Scheduled/);
    assert.match(await kubectl('logs deployment/web'), /web: started \(app:1\)/);
    assert.match(await kubectl('logs -l app=web --tail=1'), /web: started/);
  });

  test('exec runs a simulated command and gives its exit code', async () => {
    assert.equal(await kubectl('exec deployment/web -- echo hello'), 'hello\n');
    assert.match(await kubectl('exec deployment/web -- hostname'), /^web-/);
    assert.equal(await kubectl('exec -i deployment/web -- cat', { input: 'typed' }), 'typed');
    assert.match(await kubectl('exec deployment/web -- false', { code: 1 }), /exit code 1/);
  });

  test('cp takes files into a container and out of it again', async () => {
    const [name = ''] = (
      await kubectl('get pods -l app=web -o jsonpath={.items[*].metadata.name}')
    ).split(' ');
    const from = join(directory, 'from');
    mkdirSync(join(from, 'deep'), { recursive: true });
    writeFileSync(join(from, 'a.txt'), 'text\n');
    writeFileSync(join(from, 'deep', 'b.bin'), Buffer.alloc(200_000, 7));
    await kubectl(`cp ${from} ${name}:/tmp/copied`);
    assert.equal(await kubectl(`exec ${name} -- cat /tmp/copied/a.txt`), 'text\n');
    await kubectl(`cp ${name}:/tmp/copied ${join(directory, 'to')}`);
    const back = readFileSync(join(directory, 'to', 'deep', 'b.bin'));
    assert.equal(back.equals(Buffer.alloc(200_000, 7)), true);
    await kubectl(`cp ${from} ${name}:/nowhere/at/all`, { code: 1 });
  });

  test('port-forward carries connections to a container', async () => {
    const forward = spawn(kubeboxPath(), [
      'kubectl',
      '--kubeconfig',
      sandbox.kubeconfigPath,
      'port-forward',
      'deployment/web',
      ':80',
    ]);
    try {
      const [line] = (await once(forward.stdout, 'data')) as [Buffer];
      const port = /127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1];
      const answers = await Promise.all(
        ['/one', '/two'].map(async (path) =>
          (await fetch(`http://127.0.0.1:${port}${path}`)).text(),
        ),
      );
      assert.match(
        answers[0] ?? '',
        /^web \(app:\d+\) in pod default\/web-\S+ answers GET \/one on port 80$/m,
      );
      assert.match(answers[1] ?? '', /GET \/two/);
    } finally {
      forward.kill();
    }
  });

  test('a pod that reads its input is a shell to whoever runs it', async () => {
    const shell = await kubectl('run shell --rm -i --image=box --restart=Never -- sh', {
      input: 'echo from the inside\n',
    });
    assert.match(shell, /from the inside\n/);
    assert.match(shell, /pod "shell" deleted/);
    const [name] = (await kubectl('get pods -l app=web -o name')).split('\n');
    assert.match(
      await kubectl(`debug ${name} -i --image=box -- sh`, { input: 'hostname\n' }),
      /^web-/m,
    );
    const proxied = await kubectl(
      'get --raw /api/v1/namespaces/default/services/web:80/proxy/ready',
    );
    assert.match(proxied, /answers GET \/ready on port 80/);
  });

  test('patch and edit', async () => {
    assert.match(await kubectl('patch deployment web -p \'{"spec":{"replicas":2}}\''), /patched/);
    assert.match(
      await kubectl(
        'patch deployment web --type=json -p \'[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]\'',
      ),
      /patched/,
    );
    assert.match(await kubectl('edit deployment web'), /edited/);
    assert.equal(await kubectl("get deployment web -o 'jsonpath={.spec.replicas}'"), '3');
    assert.match(await kubectl('label deployment web tier=front'), /labeled/);
    assert.match(await kubectl('annotate deployment web note=x'), /annotated/);
  });

  test('wait', async () => {
    assert.match(
      await kubectl('wait deployment/web --for=condition=Available --timeout=20s'),
      /condition met/,
    );
    assert.match(
      await kubectl("wait deployment/web '--for=jsonpath={.status.readyReplicas}=3' --timeout=20s"),
      /condition met/,
    );
  });

  test('custom resources, explain, api-resources', async () => {
    assert.match(await kubectl(`apply -f ${directory}/crd.yaml`), /created/);
    assert.match(
      await kubectl('wait crd/widgets.example.com --for=condition=Established --timeout=10s'),
      /condition met/,
    );
    assert.match(
      await kubectl('apply -f -', {
        input: 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {}\n',
      }),
      /widget.example.com\/w created/,
    );
    assert.match(await kubectl('get wd'), /NAME +SIZE\nw +3/);
    assert.match(await kubectl('explain widget.spec'), /What it shall be\./);
    assert.match(await kubectl('explain deployment.spec.replicas'), /FIELD: replicas <integer>/);
    assert.match(await kubectl('api-resources'), /widgets +wd +example.com\/v1 +true +Widget/);
    assert.match(await kubectl('api-versions'), /example.com\/v1/);
    const unknown = await kubectl('apply -f -', {
      input: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndta: {}\n',
      code: 1,
    });
    assert.match(unknown, /unknown field "dta"/);
  });

  test('access: can-i, whoami, tokens, roles, impersonation', async () => {
    assert.equal(await kubectl('auth can-i create deployments'), 'yes\n');
    assert.match(await kubectl('auth can-i list pods --as=jane', { code: 1 }), /^no/);
    assert.match(await kubectl('create role reader --verb=get,list --resource=pods'), /created/);
    assert.match(await kubectl('create rolebinding reader --role=reader --user=jane'), /created/);
    assert.equal(await kubectl('auth can-i list pods --as=jane'), 'yes\n');
    assert.match(
      await kubectl('get secrets --as=jane', { code: 1 }),
      /cannot list resource "secrets" in API group ""/,
    );
    assert.match(await kubectl('auth whoami'), /kubernetes-admin/);
    assert.match(await kubectl('create token default'), /^eyJ/);
  });

  test('typed clients, which send protobuf: create, drain, delete', async () => {
    assert.match(await kubectl('create namespace team'), /created/);
    assert.match(await kubectl('create deployment d --image=app:1 -n team'), /created/);
    assert.match(await kubectl('create job j --image=app:1 -n team'), /created/);
    assert.match(await kubectl('create configmap c --from-literal=a=b -n team'), /created/);
    assert.match(await kubectl('create secret generic s --from-literal=a=b -n team'), /created/);
    assert.match(
      await kubectl('wait job/j -n team --for=condition=Complete --timeout=20s'),
      /condition met/,
    );
    assert.match(
      await kubectl('drain sandbox-0 --force --ignore-daemonsets --timeout=30s'),
      /drained/,
    );
    assert.match(await kubectl('uncordon sandbox-0'), /uncordoned/);
    assert.match(await kubectl('delete namespace team'), /deleted/);
    assert.match(await kubectl('get namespace team', { code: 1 }), /namespaces "team" not found/);
    assert.match(await kubectl(`delete -f ${manifest}`), /deleted/);
  });
});
