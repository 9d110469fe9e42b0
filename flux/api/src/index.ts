export { fluxCrds } from './crds.ts';
