import { encodeBase64Url, type FindKey, nodeCrypto, parseJsonStrict, readAgreement, verifyAgreement } from '#evidence';

/** Whether a file is the answer of `POST /v1/record-sets/{set}/statements`; what it is worth, its signatures say. */
export const isSetAgreement = (text: string): boolean =>
  text.startsWith('{') && /"gateway"\s*:\s*"/.test(text) && /"participant"\s*:\s*"/.test(text);

/** Both halves of what a bank and the gateway said of one set, offline. Refuses what `verifyAgreement` refuses. */
export async function verifySetStatement(bytes: Uint8Array, findKey: FindKey): Promise<string[]> {
  const agreement = readAgreement(parseJsonStrict(bytes, 'record_set.statement_malformed'));
  const { own, counter } = await verifyAgreement(nodeCrypto, agreement, findKey);
  const at = (seconds: number) => new Date(seconds * 1_000).toISOString();
  const before = own.before === undefined ? '' : `, with an iat before ${at(own.before)}`;
  return [
    `set         ${own.set} of ${own.iss}: ${own.count} records in the first ${own.logIndex} entries of the log${before}`,
    `root        ${encodeBase64Url(own.root)} (RFC 6962, over their ids, sorted)`,
    `participant ${own.iss} signed at ${at(own.iat)} with key ${counter.key}, which ${counter.iss} vouches for`,
    `gateway     ${counter.iss} signed at ${at(counter.iat)}, fact ${counter.fact}`,
    'VERIFIED    both said the same of the same records',
  ];
}
