import type { DesiredObject } from './desired-state.ts';

/** Labels and annotations on every object, over what the object itself says. */
export function addCommonMetadata(
  objects: readonly DesiredObject[],
  metadata:
    | {
        readonly labels?: { readonly [key: string]: string };
        readonly annotations?: { readonly [key: string]: string };
      }
    | undefined,
): readonly DesiredObject[] {
  const { labels = {}, annotations = {} } = metadata ?? {};
  const hasLabels = Object.keys(labels).length > 0;
  const hasAnnotations = Object.keys(annotations).length > 0;
  if (!hasLabels && !hasAnnotations) return objects;
  return objects.map((desired) => {
    const given = desired.object.metadata;
    return {
      ...desired,
      object: {
        ...desired.object,
        metadata: {
          ...given,
          ...(hasLabels ? { labels: { ...given.labels, ...labels } } : {}),
          ...(hasAnnotations ? { annotations: { ...given.annotations, ...annotations } } : {}),
        },
      },
    };
  });
}
