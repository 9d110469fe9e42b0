import type { DeliveryStatus } from './types.ts';

/** The status of a delivery at which nobody could look, or has looked yet: with what is known of it all the same. */
export function unlookedStatus(
  known: Partial<DeliveryStatus> & Pick<DeliveryStatus, 'observedAtMs'>,
): DeliveryStatus {
  return {
    revisions: [],
    desiredDigest: '',
    sync: 'Unknown',
    health: { status: 'Unknown' },
    objects: [],
    problems: [],
    inventory: [],
    renderKinds: [],
    ...known,
  };
}
