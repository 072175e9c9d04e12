import { Refusal } from '#kernel';
import { inOneLine } from '#platform';

/** What a person reads when a command failed: one sentence, and what to do where that is known. With LOG_LEVEL=debug the stack. */
export function sentence(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  if (!(error instanceof Error)) return String(error);
  if (process.env['LOG_LEVEL'] === 'debug') return error.stack ?? error.message;
  const { code, address, port, path } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'ECONNREFUSED')
    return `nothing answers at ${address}:${port}: is the installation running? "npm run status" tells, "npm run up" starts it`;
  if (code === 'ENOENT' && path !== undefined) return `there is no ${path}`;
  return inOneLine(error.message);
}
