import { oneArgument } from '../chart-path.ts';
import { parseFlags } from '../flags.ts';
import type { Command } from '../io.ts';
import { verifyFile } from '../locate-chart.ts';

const HELP = `usage: capstan verify PATH [--keyring FILE]

Checks a packed chart (.tgz) against the signed .prov file beside it, as helm verify does.
`;

/** `capstan verify PATH`, with the output of `helm verify`. */
export const run: Command = async (args, io) => {
  const flags = parseFlags(args, {
    help: { kind: 'boolean', short: 'h' },
    keyring: { kind: 'string' },
  });
  if (flags.flag('help')) {
    io.out(HELP);
    return 0;
  }
  const path = oneArgument('verify', flags.positionals);
  const { signedBy, fingerprint, fileHash } = await verifyFile(path, flags, io);
  io.out(signedBy.map((name) => `Signed by: ${name}\n`).join(''));
  io.out(`Using Key With Fingerprint: ${fingerprint}\nChart Hash Verified: ${fileHash}\n`);
  return 0;
};
