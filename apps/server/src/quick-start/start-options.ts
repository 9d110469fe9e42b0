import { parseArgs } from 'node:util';
import { CapstanError, messageOf } from '@capstan/lib-std';

export interface StartOptions {
  readonly dataFolder: string;
  readonly reset: boolean;
  /** Port of the page; the Git server and the API take the next two. 0: free ones. */
  readonly port: number;
  readonly help: boolean;
}

export const DEFAULT_PORT = 7400;

export const START_HELP = `usage: npm start -- [OPTIONS]

Starts a cluster, a Git server with a sample repository, the control plane and the page, all on this machine.

  --data DIR   where all state is kept (default .capstan)
  --reset      begin anew: delete what is kept there
  --port N     port of the page; the Git server and the Kubernetes API take the next two (default ${DEFAULT_PORT};
               0 takes free ones)
  --help       this text
`;

export function parseStartOptions(args: readonly string[]): StartOptions {
  const { values } = parse(args);
  const port = values.port === undefined ? DEFAULT_PORT : Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65533) {
    throw new CapstanError('OPTION_INVALID', `--port ${values.port} is no port`, {
      hint: 'give a number from 1 to 65533, or 0 for free ones',
    });
  }
  return {
    dataFolder: values.data ?? '.capstan',
    reset: values.reset === true,
    port,
    help: values.help === true,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        data: { type: 'string' },
        reset: { type: 'boolean' },
        port: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new CapstanError('OPTION_INVALID', messageOf(error), {
      hint: 'npm start -- --help lists the options',
      cause: error,
    });
  }
}
