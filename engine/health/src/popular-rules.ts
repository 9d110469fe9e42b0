import type { HealthRule, HealthStatus } from './types.ts';

/** One kind whose health is one condition of its status: True is Healthy, False is Degraded, anything else is awaited. */
interface ConditionRule {
  readonly group: string;
  readonly kinds: readonly string[];
  readonly condition: string;
  /** What is said while the condition is neither True nor False; `{kind}` stands for the kind. */
  readonly waiting: string;
  /** `Progressing` unless told otherwise. */
  readonly otherwise?: HealthStatus;
  /** A condition which, when True, means that work is under way whatever the other one says. */
  readonly busy?: string;
  /** False is work under way, too. */
  readonly patient?: boolean;
}

/** Verdicts as Argo CD 3.6 gives them (documentation: "Resource Health", custom health checks that come with it). */
const TABLE: readonly ConditionRule[] = [
  {
    group: 'cert-manager.io',
    kinds: ['Certificate'],
    condition: 'Ready',
    busy: 'Issuing',
    waiting: 'Waiting for certificate',
  },
  {
    group: 'cert-manager.io',
    kinds: ['Issuer'],
    condition: 'Ready',
    waiting: 'Initializing issuer',
  },
  {
    group: 'cert-manager.io',
    kinds: ['ClusterIssuer'],
    condition: 'Ready',
    waiting: 'Initializing ClusterIssuer',
  },
  {
    group: 'certmanager.k8s.io',
    kinds: ['Certificate'],
    condition: 'Ready',
    waiting: 'Waiting for certificate',
  },
  {
    group: 'certmanager.k8s.io',
    kinds: ['Issuer'],
    condition: 'Ready',
    waiting: 'Initializing issuer',
  },
  {
    group: 'external-secrets.io',
    kinds: ['ClusterSecretStore', 'ExternalSecret', 'PushSecret', 'SecretStore'],
    condition: 'Ready',
    waiting: 'Waiting for {kind}',
  },
  {
    group: 'bitnami.com',
    kinds: ['SealedSecret'],
    condition: 'Synced',
    waiting: 'Sealed Secret waiting to be decrypted',
  },
  {
    group: 'camel.apache.org',
    kinds: ['Integration'],
    condition: 'Ready',
    waiting: 'Waiting for Integration',
  },
  {
    group: 'karpenter.k8s.aws',
    kinds: ['EC2NodeClass'],
    condition: 'Ready',
    waiting: 'Waiting for {kind} to be ready',
  },
  {
    group: 'karpenter.sh',
    kinds: ['NodePool'],
    condition: 'Ready',
    waiting: 'Waiting for {kind} to be ready',
  },
  {
    group: 'kyverno.io',
    kinds: ['Policy', 'ClusterPolicy'],
    condition: 'Ready',
    waiting: 'Waiting for {kind} to be ready',
    patient: true,
  },
  {
    group: 'k8s.mariadb.com',
    kinds: ['Database', 'Grant', 'User'],
    condition: 'Ready',
    waiting: 'No status conditions found',
  },
  {
    group: 'onepassword.com',
    kinds: ['OnePasswordItem'],
    condition: 'Ready',
    waiting: 'Waiting for controller to report status',
  },
  {
    group: 'coralogix.com',
    kinds: ['Alert', 'RecordingRuleGroupSet'],
    condition: 'RemoteSynced',
    waiting: 'Waiting for the resource to be synced',
  },
  {
    group: 'rabbitmq.com',
    kinds: ['Binding'],
    condition: 'Ready',
    waiting: 'RabbitMQ binding status is unknown',
    otherwise: 'Unknown',
  },
  {
    group: 'rabbitmq.com',
    kinds: ['Exchange'],
    condition: 'Ready',
    waiting: 'RabbitMQ exchange status is unknown',
    otherwise: 'Unknown',
  },
  {
    group: 'rabbitmq.com',
    kinds: ['Permission'],
    condition: 'Ready',
    waiting: 'RabbitMQ permission status is unknown',
    otherwise: 'Unknown',
  },
  {
    group: 'rabbitmq.com',
    kinds: ['Policy'],
    condition: 'Ready',
    waiting: 'RabbitMQ policy status is unknown',
    otherwise: 'Unknown',
  },
  {
    group: 'rabbitmq.com',
    kinds: ['Queue'],
    condition: 'Ready',
    waiting: 'RabbitMQ queue status is unknown',
    otherwise: 'Unknown',
  },
  {
    group: 'rabbitmq.com',
    kinds: ['Shovel'],
    condition: 'Ready',
    waiting: 'RabbitMQ shovel status is unknown',
    otherwise: 'Unknown',
  },
  {
    group: 'rabbitmq.com',
    kinds: ['User'],
    condition: 'Ready',
    waiting: 'RabbitMQ user status is unknown',
    otherwise: 'Unknown',
  },
  {
    group: 'rabbitmq.com',
    kinds: ['Vhost'],
    condition: 'Ready',
    waiting: 'RabbitMQ vhost status is unknown',
    otherwise: 'Unknown',
  },
];

/** Rules for kinds that other operators bring, to be put after what users say themselves. */
export const POPULAR_RULES: readonly HealthRule[] = TABLE.flatMap((row) =>
  row.kinds.map((kind) => toRule(row, kind)),
);

function toRule(row: ConditionRule, kind: string): HealthRule {
  const { group, condition, busy, patient } = row;
  const message = `{condition:${condition}}`;
  const waiting = row.waiting.replace('{kind}', kind);
  const otherwise = row.otherwise ?? 'Progressing';
  return {
    group,
    kind,
    clauses: [
      ...(busy === undefined
        ? []
        : [
            {
              when: [{ condition: busy, status: 'True' }],
              status: 'Progressing' as const,
              message: `{condition:${busy}}`,
            },
          ]),
      ...(patient === true
        ? []
        : [{ when: [{ condition, status: 'False' }], status: 'Degraded' as const, message }]),
      { when: [{ condition, status: 'True' }], status: 'Healthy', message },
    ],
    otherwise,
    otherwiseMessage: waiting,
  };
}
