export { eventually, MemorySources } from './memory-sources.ts';
export { pause, seededRandom, trySeeds, unrulyWatches } from './unruly.ts';
