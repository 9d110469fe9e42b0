import type { Clock } from '@capstan/lib-std';

/** The machine's time. Its timers do not keep the process alive. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    after(delayMs, run) {
      // Beyond 2^31 ms a timer would fire at once.
      const timer = setTimeout(run, Math.min(delayMs, 2 ** 31 - 1));
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
