import type { ResourceNode } from '@capstan/apps-contract';
import { hierarchy, tree } from 'd3-hierarchy';

export interface PlacedNode {
  readonly node: ResourceNode | null;
  readonly x: number;
  readonly y: number;
}

export interface TreeLayout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  /** From the right edge of a parent to the left edge of its child. */
  readonly links: readonly { readonly from: PlacedNode; readonly to: PlacedNode }[];
}

export const NODE = { width: 264, height: 58, gapX: 64, gapY: 16 } as const;

interface Branch {
  readonly node: ResourceNode | null;
  readonly children: readonly Branch[];
}

/** Places the app (the root, `node: null`) at the left and its resources to the right of it, a column a generation. */
export function layoutTree(resources: readonly ResourceNode[]): TreeLayout {
  const laid = tree<Branch>().nodeSize([NODE.height + NODE.gapY, NODE.width + NODE.gapX])(
    hierarchy<Branch>(toBranch(resources), (branch) => branch.children),
  );
  const top = Math.min(...laid.descendants().map((point) => point.x));
  const placed = new Map(
    laid
      .descendants()
      .map((point) => [
        point,
        { node: point.data.node, x: point.y, y: point.x - top } satisfies PlacedNode,
      ]),
  );
  const nodes = [...placed.values()];
  return {
    width: Math.max(...nodes.map((node) => node.x)) + NODE.width,
    height: Math.max(...nodes.map((node) => node.y)) + NODE.height,
    nodes,
    links: laid
      .links()
      .map((link) => ({ from: placed.get(link.source)!, to: placed.get(link.target)! })),
  };
}

/** A resource whose parent is not in the list hangs on the app itself. */
function toBranch(resources: readonly ResourceNode[]): Branch {
  const known = new Set(resources.map((node) => node.id));
  const byParent = new Map<string | null, ResourceNode[]>();
  for (const node of resources) {
    const parent = node.parent !== null && known.has(node.parent) ? node.parent : null;
    byParent.set(parent, [...(byParent.get(parent) ?? []), node]);
  }
  const branch = (node: ResourceNode | null, depth: number): Branch => ({
    node,
    children:
      depth > 12
        ? []
        : (byParent.get(node?.id ?? null) ?? [])
            .toSorted((a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name))
            .map((child) => branch(child, depth + 1)),
  });
  return branch(null, 0);
}
