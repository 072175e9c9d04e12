import { hash, X509Certificate } from 'node:crypto';
import { Refusal } from '#kernel';
import { decodeBase64Url } from '../jose/base64url.js';
import { parseRevocationList } from '../revocation/revocation-list.js';
import type { RecordEvidence } from './evidence-form.js';
import type { ClaimedFact } from './proven-fact.js';

type Certificate = NonNullable<RecordEvidence['certificate']>;

/** The fact that a certificate was looked for in a list and not found there. */
export const CERTIFICATE_CHECKED = 'participant.certificate_checked';

/** Lines of a batch are accepted after it came, while its certificate was checked when it came. */
const acceptedLateMsMax = 24 * 3_600_000;

/** Whether this fact says that this certificate was checked. */
export function isCheckOf({ kind, body }: Pick<ClaimedFact['entry'], 'kind' | 'body'>, x5t: string): boolean {
  return kind === CERTIFICATE_CHECKED && body['x5t'] === x5t;
}

/**
 * Checks that the certificate (its chain is found good already) was not revoked when the record came: the list is the one that the log's fact binds,
 * its own authority signed it, it was in force when it was looked at, and the serial is not in it.
 * @returns what there is to tell of it. Refuses 422 `evidence.list_facts`, `evidence.list_altered`, `evidence.list_foreign`, `evidence.list_expired`,
 * `evidence.certificate_revoked`; what `parseRevocationList` refuses.
 */
export function checkRevocationList(
  certificate: Certificate,
  list: string,
  check: ClaimedFact['entry'],
  accepted: ClaimedFact['entry'],
): string {
  if (!isCheckOf(check, certificate['x5t#S256'])) throw refusal('list_facts', 'the fact does not say that this certificate was checked');
  const bytes = decodeBase64Url(list, 'list');
  if (hash('sha256', bytes, 'base64url') !== check.body['list'])
    throw refusal('list_altered', 'the list is not the one that the fact of the check names');
  const { thisUpdate, nextUpdate, serials, isSignedBy } = parseRevocationList(bytes);
  const authority = new X509Certificate(certificate.chain.slice(certificate.chain.lastIndexOf('-----BEGIN')));
  if (!isSignedBy(authority)) throw refusal('list_foreign', 'the list is not signed by the authority of this certificate');
  const [from, to] = [thisUpdate.toISOString(), nextUpdate.toISOString()];
  const [checkedMs, acceptedMs] = [Date.parse(check.at), Date.parse(accepted.at)];
  if (checkedMs < thisUpdate.getTime() || checkedMs >= nextUpdate.getTime() || acceptedMs >= nextUpdate.getTime() + acceptedLateMsMax) {
    throw refusal('list_expired', `the list, of ${from} until ${to}, was not in force when the record came`);
  }
  if (serials.has(certificate.serial)) throw refusal('certificate_revoked', `the list of ${from} names this certificate as revoked`);
  return `not among the ${serials.size} that its authority had revoked by ${from}, checked at ${check.at} (list good until ${to})`;
}

const refusal = (code: string, detail: string) => new Refusal('unprocessable', `evidence.${code}`, detail);
