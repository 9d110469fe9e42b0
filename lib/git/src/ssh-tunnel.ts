/**
 * The program that ssh starts (ProxyCommand) to reach a host through a proxy. The proxy's address comes by environment, since it
 * may hold a password.
 */
import { openTunnel } from '@capstan/lib-egress';

try {
  const [host = '', port = ''] = process.argv.slice(2);
  const proxy = new URL(process.env['CAPSTAN_SSH_PROXY'] ?? '');
  const socket = await openTunnel(proxy, { host, port: Number(port) });
  socket.on('error', () => process.exit(1)).on('close', () => process.exit(0));
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
} catch (error) {
  process.stderr.write(`proxy: ${error instanceof Error ? error.message : 'unknown error'}\n`);
  process.exitCode = 1;
}
