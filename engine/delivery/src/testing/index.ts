export { at } from './look.ts';
export { eventually, MemorySources } from './memory-sources.ts';
export {
  type Act,
  actAtRandom,
  meddleBefore,
  pause,
  seededRandom,
  trySeeds,
  unrulyNetwork,
} from './unruly.ts';
