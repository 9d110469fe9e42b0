export {
  type ApplyPorts,
  type ApplyStepOptions,
  applyStep,
  cleanHook,
  releaseHook,
} from './apply-step.ts';
export { askServer, type ServerVerdict } from './ask-server.ts';
export { isMarked, type Mark, markObject } from './mark-object.ts';
export { isPredecessor, takeOverPatch } from './take-over.ts';
