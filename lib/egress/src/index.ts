export { guardedConnect, guardedLookup, isRefusedAddress, refuseAddress } from './guard.ts';
export { isLoopback, proxyFromEnvironment } from './proxy.ts';
export { SocksAgent, SocksPlainAgent } from './socks-agents.ts';
export { authoritiesWith } from './trust.ts';
export { openTunnel } from './tunnel.ts';
