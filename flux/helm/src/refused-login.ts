import { CapstanError, messageOf } from '@capstan/lib-std';

const MARKS = /\b401\b|unauthorized|authentication required|\btls|OCI_DENIED/;
const ADDRESS = /\b\w+:\/\/\S+/g;

/** Whether an error says that a login or a certificate was refused. What stands in an address, as a port 40181, says nothing of it. */
export function isRefusedLogin(error: unknown): boolean {
  if (MARKS.test(messageOf(error).replace(ADDRESS, ''))) return true;
  return error instanceof CapstanError && causeCode(error) === 'OCI_DENIED';
}

function causeCode({ code, cause }: CapstanError): string {
  return cause instanceof CapstanError ? causeCode(cause) : code;
}
