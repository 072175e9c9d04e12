import { describe, expect, it } from 'vitest';
import { createLogger, NestLogger } from './logging.js';

const PRISMA = "\nInvalid `prisma.participantRow.findMany()` invocation:\n\n\nCan't reach database server";
const SAID = "Invalid `prisma.participantRow.findMany()` invocation: Can't reach database server";

/** What was written, line by line. */
function log() {
  const written: string[] = [];
  const logger = createLogger('test', 'debug', { write: (text) => void written.push(text) });
  const lines = () =>
    written
      .join('')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { logger, lines };
}

describe('the log', () => {
  it('is one line of JSON for each event, and what went wrong a sentence in it', () => {
    const { logger, lines } = log();
    logger.error({ error: PRISMA }, 'a');
    logger.error({ error: new Error(PRISMA) }, 'b');
    new NestLogger(logger).error(PRISMA, 'stack', 'context');
    const [text, defect, nest] = lines();
    expect(text).toMatchObject({ app: 'test', msg: 'a', error: SAID });
    expect(defect).toMatchObject({ msg: 'b', error: { message: SAID, stack: expect.stringContaining('logging.spec') as string } });
    expect(nest).toMatchObject({ msg: SAID, stack: 'stack', context: 'context' });
  });

  it('tells no secret', () => {
    const { logger, lines } = log();
    logger.info({ password: 'x', request: { headers: { authorization: 'Bearer x' } } }, 'a');
    expect(lines()).toMatchObject([{ password: '[redacted]', request: { headers: { authorization: '[redacted]' } } }]);
  });
});
