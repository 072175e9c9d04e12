import { EXPIRY_STEPS_DAYS, type GatewayKeyView, isUsable, type Participant } from '#partners';
import { daysLeft } from './participant-view.js';

/** Something that keeps a participant from working, now or soon. `code` is for programs; `next` is the step that helps. */
export interface Missing {
  readonly code: string;
  readonly what: string;
  readonly next: string;
}

const ME = '/v1/participants/me';
const WARN_DAYS = EXPIRY_STEPS_DAYS[0];

/** The checklist of `GET /v1/participants/me`; empty: nothing to do. What stops the participant comes first. */
export function missingOf(caller: Participant, gatewayKeys: readonly GatewayKeyView[], at: Date): Missing[] {
  return [...ofState(caller), ...ofKeys(caller, at), ...ofCertificates(caller, at), ...ofGatewayKeys(gatewayKeys)];
}

function ofState({ state, suspension }: Participant): Missing[] {
  if (suspension) {
    const what = `your participation is suspended from ${suspension.from.toISOString()} on`;
    return [{ code: 'suspension.scheduled', what, next: 'ask your contact at the platform' }];
  }
  if (state === 'ACTIVE') return [];
  return [
    { code: 'activation.pending', what: 'activation by the platform’s operator', next: 'try your signatures at POST /v1/security/echo' },
  ];
}

function ofKeys({ keys }: Participant, at: Date): Missing[] {
  const missing: Missing[] = [];
  // A key is announced by a request that a usable one has signed: without any, the way leads over the operator.
  if (!keys.some(isUsable)) {
    const next = 'ask the platform’s operator for an invitation, and enrol again with a new key';
    missing.push({ code: 'key.none', what: 'a signing key that may be used', next });
  }
  for (const { kid, state, notAfter } of keys) {
    const at_ = `${ME}/keys/${encodeURIComponent(kid)}`;
    if (state === 'ANNOUNCED')
      missing.push({ code: 'key.unproved', what: `key ${kid} has not signed its challenge`, next: `POST ${at_}/proofs` });
    if (state === 'PROBED')
      missing.push({ code: 'key.not_ready', what: `key ${kid} is not known to every process yet`, next: 'wait some seconds' });
    if (state === 'READY') missing.push({ code: 'key.not_active', what: `key ${kid} may be used`, next: `POST ${at_}/activation` });
    if (isUsable({ state }) && notAfter && daysLeft(notAfter, at) < WARN_DAYS) {
      missing.push({ code: 'key.expiring', what: `key ${kid} ends in ${daysLeft(notAfter, at)} days`, next: `POST ${ME}/keys` });
    }
  }
  return missing;
}

/** Once a later certificate is there, the end of an earlier one is nobody's worry. */
function ofCertificates({ certificates }: Participant, at: Date): Missing[] {
  const ends = certificates.filter(({ revoked }) => !revoked).map(({ notAfter }) => notAfter.getTime());
  const last = new Date(Math.max(...ends));
  if (ends.length > 0 && daysLeft(last, at) >= WARN_DAYS) return [];
  const what = ends.length === 0 ? 'a registered certificate' : `your last certificate ends in ${daysLeft(last, at)} days`;
  return [{ code: 'certificate.expiring', what, next: `POST ${ME}/certificates` }];
}

function ofGatewayKeys(gatewayKeys: readonly GatewayKeyView[]): Missing[] {
  return gatewayKeys
    .filter(({ state }) => state === 'ANNOUNCED')
    .map(({ kid }) => ({
      code: 'gateway_key.unproved',
      what: `our next key ${kid} is not known to verify at your side`,
      next: `GET ${ME}/gateway-keys/${encodeURIComponent(kid)}/check`,
    }));
}
