import type { AppDetail, ResourceNode } from '@capstan/apps-contract';
import { type ReactElement, useMemo } from 'react';
import { useNow } from '../../data/hooks.ts';
import { formatAge, shortName } from '../../model/format.ts';
import { layoutTree, NODE, type PlacedNode } from '../../model/layout-tree.ts';
import { Notice } from '../../parts/notice.tsx';
import { HealthStatus, SyncStatus } from '../../parts/status.tsx';

/** The app, what Git says of it, and what the cluster made of that, down to Pods. */
export function ResourceTree({
  detail,
  selected,
  onSelect,
}: {
  detail: AppDetail;
  selected: string | null;
  onSelect: (id: string) => void;
}): ReactElement {
  const layout = useMemo(() => layoutTree(detail.resources), [detail.resources]);
  if (detail.resources.length === 0) {
    return (
      <Notice title="No resources yet">
        <p>{detail.app.message || 'Nothing was deployed by this app so far.'}</p>
      </Notice>
    );
  }
  return (
    <div className="tree">
      <div className="tree-canvas" style={{ width: layout.width, height: layout.height }}>
        <svg width={layout.width} height={layout.height} aria-hidden="true">
          {layout.links.map(({ from, to }) => (
            <path key={to.node?.id ?? ''} d={curve(from, to)} />
          ))}
        </svg>
        {layout.nodes.map((placed) =>
          placed.node === null ? (
            <AppBox key="app" detail={detail} placed={placed} />
          ) : (
            <NodeBox
              key={placed.node.id}
              node={placed.node}
              placed={placed}
              selected={placed.node.id === selected}
              onSelect={onSelect}
            />
          ),
        )}
      </div>
    </div>
  );
}

function curve(from: PlacedNode, to: PlacedNode): string {
  const x1 = from.x + NODE.width;
  const y1 = from.y + NODE.height / 2;
  const y2 = to.y + NODE.height / 2;
  const middle = (x1 + to.x) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${to.x} ${y2}`;
}

function position(placed: PlacedNode): React.CSSProperties {
  return { left: placed.x, top: placed.y, width: NODE.width, height: NODE.height };
}

function AppBox({ detail, placed }: { detail: AppDetail; placed: PlacedNode }): ReactElement {
  return (
    <div className="node root" style={position(placed)}>
      <span className="node-kind">{detail.app.kind}</span>
      <span className="node-name">{detail.app.name}</span>
      <span className="node-states">
        <SyncStatus value={detail.app.sync} syncing={detail.app.syncing} compact />
        <HealthStatus value={detail.app.health} compact />
      </span>
    </div>
  );
}

function NodeBox({
  node,
  placed,
  selected,
  onSelect,
}: {
  node: ResourceNode;
  placed: PlacedNode;
  selected: boolean;
  onSelect: (id: string) => void;
}): ReactElement {
  const now = useNow();
  return (
    <button
      type="button"
      className={`node health-${node.health ?? 'none'}${node.requiresPruning ? ' pruning' : ''}`}
      aria-pressed={selected}
      style={position(placed)}
      onClick={() => onSelect(node.id)}
    >
      <span className="node-kind">{node.kind}</span>
      <small className="node-info">
        {[...node.info.slice(0, 1), formatAge(node.createdAt, now)].filter(Boolean).join(' · ')}
      </small>
      <span className="node-name" title={node.name}>
        {shortName(node.name, 24)}
      </span>
      <span className="node-states">
        {node.sync !== null && <SyncStatus value={node.sync} compact />}
        {node.health !== null && (
          <HealthStatus value={node.health} compact title={node.healthMessage} />
        )}
      </span>
    </button>
  );
}
