// One candidate for a Lease, as a process of its own: `lease-candidate.ts KUBECONFIG NAMESPACE LEASE IDENTITY`. Prints `lead` and
// `stop <reason>`; ends by SIGTERM, giving the lease back.
import { connect, loadKubeconfig } from '@capstan/kube-client';
import { runAsLeader } from '@capstan/kube-controller';

const [file = '', namespace = '', name = '', identity = ''] = process.argv.slice(2);
const client = connect(await loadKubeconfig({ file }));
const ended = new AbortController();
process.once('SIGTERM', () => ended.abort(new Error('SIGTERM')));

await runAsLeader(
  {
    client,
    namespace,
    name,
    identity,
    leaseDurationMs: 6_000,
    renewDeadlineMs: 4_000,
    retryPeriodMs: 500,
    onError: (error) => console.error(String(error)),
  },
  async (signal) => {
    console.log('lead');
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    console.log(`stop ${signal.reason instanceof Error ? signal.reason.name : signal.reason}`);
  },
  { signal: ended.signal },
);
await client.close();
