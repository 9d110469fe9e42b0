export { guardedConnect, guardedLookup, isRefusedAddress, refuseAddress } from './guard.ts';
export { isLoopback, proxyFromEnvironment } from './proxy.ts';
export { authoritiesWith } from './trust.ts';
