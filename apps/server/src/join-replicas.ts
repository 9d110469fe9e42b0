import { randomBytes } from 'node:crypto';
import type { KubeClient } from '@capstan/kube-client';
import { runShardMember, type ShardMembership } from '@capstan/kube-controller';
import type { Clock } from '@capstan/lib-std';

/** One of several processes that share the work on one cluster. */
export interface ReplicaOptions {
  /** For people: the Pod's name. What tells the processes apart is made at each start. */
  readonly name: string;
  readonly leaseDurationMs?: number;
}

export interface JoinOptions {
  readonly replica: ReplicaOptions;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly clock: Clock;
  /** Another replica was told of a push. */
  readonly onPush: (url: string) => void;
  readonly log: (message: string, keys?: Readonly<Record<string, unknown>>) => void;
}

export interface JoinedReplicas {
  readonly membership: ShardMembership;
  /** To be called when nothing of this process runs any more. */
  leave(): Promise<void>;
}

/** Joins the replicas of a control plane; their Leases stand in its namespace. */
export async function joinReplicas(options: JoinOptions): Promise<JoinedReplicas> {
  const { replica, client, namespace, clock, onPush, log } = options;
  const joined = Promise.withResolvers<ShardMembership>();
  const done = Promise.withResolvers<void>();
  const left = runShardMember(
    {
      client,
      namespace,
      clock,
      group: 'capstan',
      identity: `${replica.name}-${randomBytes(4).toString('hex')}`,
      ...(replica.leaseDurationMs === undefined
        ? {}
        : { leaseDurationMs: replica.leaseDurationMs }),
      onChange: (members) => log('replicas', { members }),
      onAnnouncement: onPush,
      onError: (error) => log('the Lease of this replica', { error: String(error) }),
    },
    (membership) => {
      joined.resolve(membership);
      return done.promise;
    },
    { signal: new AbortController().signal },
  );
  left.catch(joined.reject);
  return {
    membership: await joined.promise,
    leave: () => {
      done.resolve();
      return left;
    },
  };
}
