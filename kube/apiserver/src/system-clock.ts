import type { Clock } from '@capstan/lib-std';

/**
 * The machine's time, which never goes back: when somebody sets the wall clock back, time goes on from where it was, so that
 * nothing of a cluster lies in the future. Set ahead (or after the machine has slept) it follows. Its timers do not keep the
 * process alive.
 */
export function systemClock(notBeforeMs = 0): Clock {
  let offset = notBeforeMs - performance.now();
  return {
    now: () => {
      const passed = performance.now();
      offset = Math.max(offset, Date.now() - passed);
      return Math.floor(passed + offset);
    },
    passed: () => Math.floor(performance.now()),
    after(delayMs, run) {
      // Beyond 2^31 ms a timer would fire at once.
      const timer = setTimeout(run, Math.min(delayMs, 2 ** 31 - 1));
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
