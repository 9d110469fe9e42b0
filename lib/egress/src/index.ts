export { guardedConnect, guardedLookup, isRefusedAddress, refuseAddress } from './guard.ts';
