export { at } from './look.ts';
export { eventually, MemorySources } from './memory-sources.ts';
export { type Act, actAtRandom, pause, seededRandom, trySeeds, unrulyWatches } from './unruly.ts';
