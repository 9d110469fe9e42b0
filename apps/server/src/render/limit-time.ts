import type { Worker } from 'node:worker_threads';

/** So many times its limit a thread may wait for a processor. */
const PATIENCE = 10;
const LOOK_MS = 50;

export type Exceeded = 'computed too long' | 'waited too long';

/**
 * Calls `exceed` once a thread has computed for longer than `limitMs` from now on, or has come to no end in ten times that.
 * What it computes is counted, not what passes: beside other work a thread waits for its turn, which is no fault of what it
 * does. Answers what stops the count.
 */
export function limitTime(
  worker: Pick<Worker, 'cpuUsage'>,
  limitMs: number,
  exceed: (why: Exceeded) => void,
): () => void {
  const startedAt = performance.now();
  const before = computedMs(worker);
  let isOver = false;
  const look = async (): Promise<void> => {
    const spentMs = (await computedMs(worker)) - (await before);
    if (isOver) return;
    const leftMs = limitMs * PATIENCE - (performance.now() - startedAt);
    if (spentMs >= limitMs) exceed('computed too long');
    else if (leftMs <= 0) exceed('waited too long');
    else lookIn(Math.min(limitMs - spentMs, leftMs));
  };
  let timer: NodeJS.Timeout;
  const lookIn = (delayMs: number): void => {
    timer = setTimeout(() => void look(), Math.max(delayMs, LOOK_MS));
  };
  lookIn(limitMs);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/** 0 for a thread that has not begun, or has ended. */
async function computedMs(worker: Pick<Worker, 'cpuUsage'>): Promise<number> {
  try {
    const { user, system } = await worker.cpuUsage();
    return (user + system) / 1000;
  } catch {
    return 0;
  }
}
