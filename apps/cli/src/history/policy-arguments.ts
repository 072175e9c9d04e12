import { Refusal } from '#kernel';

export const VERSION = ['--version <number>', 'version of the policy'] as const;
export const BY = ['--by <person>', 'who does it; stands in the version and in the log'] as const;

export function parseVersion(text: string): bigint {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return BigInt(text);
  throw new Refusal('malformed', 'policy.version_malformed', `${JSON.stringify(text)} is no version: a version is a number from 1`);
}
