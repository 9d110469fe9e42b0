import type { Clock } from '@capstan/lib-std';

/** The machine's time. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    passed: () => Math.floor(performance.now()),
    after: (delayMs, run) => {
      // setTimeout would run a longer delay at once; whoever waits for weeks is asked again.
      const timer = setTimeout(run, Math.min(delayMs, 2 ** 31 - 1));
      return () => clearTimeout(timer);
    },
  };
}
