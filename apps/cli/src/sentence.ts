import { Refusal } from '#kernel';
import { inOneLine } from '#platform';

/** What a person reads when a command failed: one sentence, and what to do where that is known. With LOG_LEVEL=debug the stack. */
export function sentence(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  if (!(error instanceof Error)) return String(error);
  if (process.env['LOG_LEVEL'] === 'debug') return error.stack ?? error.message;
  // A name with several addresses fails once for each: the first says it all.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  if (first !== undefined) return sentence(first);
  const { code, address, port, path, hostname } = error as NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string };
  if (code === 'ECONNREFUSED')
    return `nothing answers at ${address}:${port}: is the installation running? "npm run status" tells, "npm run up" starts it`;
  if (code === 'ENOTFOUND') return `no machine is called ${hostname}`;
  if (code === 'EISDIR') return path === undefined ? 'a folder was named where a file is wanted' : `${path} is a folder, not a file`;
  if (path === undefined) return inOneLine(error.message);
  if (code === 'ENOENT') return `there is no ${path}`;
  if (code === 'EACCES' || code === 'EPERM') return `${path} is closed to this account`;
  return inOneLine(error.message);
}
