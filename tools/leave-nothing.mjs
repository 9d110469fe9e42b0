// Loaded before each test file: one whose tests are over, and that lives on, has left something behind (a timer, a server).
// The runner would wait for it for ever. What the file itself does after its tests counts in that time.
import { after } from 'node:test';

const PATIENCE_MS = 60_000;

after(() => {
  setTimeout(() => {
    const left = process.getActiveResourcesInfo().join(', ');
    console.error(`all tests are over for ${PATIENCE_MS / 1000} s, and this is left: ${left}`);
    process.exit(1);
  }, PATIENCE_MS).unref();
});
