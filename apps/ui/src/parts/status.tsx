import type { HealthState, SyncState } from '@capstan/apps-contract';
import type { ReactElement } from 'react';
import { Icon, type IconName } from './icon.tsx';

const HEALTH: Readonly<Record<HealthState, { readonly icon: IconName; readonly tone: string }>> = {
  Healthy: { icon: 'heart', tone: 'good' },
  Progressing: { icon: 'refresh', tone: 'busy' },
  Degraded: { icon: 'broken', tone: 'bad' },
  Suspended: { icon: 'pause', tone: 'muted' },
  Missing: { icon: 'ghost', tone: 'warn' },
  Unknown: { icon: 'question', tone: 'muted' },
};

const SYNC: Readonly<Record<SyncState, { readonly icon: IconName; readonly tone: string }>> = {
  Synced: { icon: 'check', tone: 'good' },
  OutOfSync: { icon: 'arrow', tone: 'warn' },
  Unknown: { icon: 'question', tone: 'muted' },
};

interface StatusProps<T> {
  readonly value: T;
  /** The symbol alone, with the word for screen readers and as a tooltip. */
  readonly compact?: boolean;
  readonly title?: string;
}

export function HealthStatus(props: StatusProps<HealthState>): ReactElement {
  return <Status {...props} {...HEALTH[props.value]} spin={props.value === 'Progressing'} />;
}

export function SyncStatus(
  props: StatusProps<SyncState> & { readonly syncing?: boolean },
): ReactElement {
  if (props.syncing === true)
    return <Status {...props} value="Syncing" icon="refresh" tone="busy" spin />;
  return <Status {...props} {...SYNC[props.value]} spin={false} />;
}

interface Look {
  readonly value: string;
  readonly icon: IconName;
  readonly tone: string;
  readonly spin: boolean;
  readonly compact?: boolean;
  readonly title?: string;
}

function Status({ value, icon, tone, spin, compact, title }: Look): ReactElement {
  return (
    <span className={`status tone-${tone}${spin ? ' spin' : ''}`} title={title || value}>
      <Icon name={icon} size={14} />
      <span className={compact === true ? 'visually-hidden' : undefined}>{value}</span>
    </span>
  );
}
