import { describe, expect, it } from 'vitest';
import { hashesWaitingMax, NodeSecrets } from './node-secrets.js';

const cheap = { N: 16, r: 1, p: 1 };

describe('checking passwords', () => {
  it('knows a password again, however it was typed, and no other', async () => {
    const secrets = new NodeSecrets(cheap);
    const hash = await secrets.hashPassword('caf\u00e9 at noon');
    expect(await secrets.matchesPassword('cafe\u0301 at noon', hash)).toBe(true);
    expect(await secrets.matchesPassword('cafe at noon', hash)).toBe(false);
    expect(await secrets.matchesPassword('caf\u00e9 at noon', undefined)).toBe(false);
  });

  it('lets a few wait and turns a flood away at once, so that whoever comes after it is served', async () => {
    const secrets = new NodeSecrets(cheap);
    const flood = Array.from({ length: 3 * hashesWaitingMax }, () => secrets.matchesPassword('guess', undefined));
    const answers = await Promise.allSettled(flood);
    const refused = answers.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(refused).toHaveLength(2 * hashesWaitingMax);
    expect(refused[0]).toMatchObject({ code: 'sign_in.busy', kind: 'unavailable', hints: { retryAfterSeconds: 5 } });
    expect(await secrets.matchesPassword('guess', undefined)).toBe(false);
  });
});
