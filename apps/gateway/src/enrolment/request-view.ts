import { formatId, shardOf } from '#kernel';
import type { CertificateRequest } from '#partners';

const NEXT = {
  REQUESTED: 'wait for the issuer: ask again in a second',
  REFUSED: 'mend what the refusal says; an invitation is spent, ask your contact for a new one',
};

/** A request for a certificate as whoever asked sees it. `certificate` is the leaf and then its authority, PEM. */
export function viewRequest(request: CertificateRequest, gatewayOrigin: string) {
  const { id, participant, state, requestedAt, decidedAt, certificate, refused } = request;
  return {
    id: formatId('enr', { shard: shardOf(participant), uuid: id }),
    participant,
    state,
    requestedAt: requestedAt.toISOString(),
    ...(decidedAt ? { decidedAt: decidedAt.toISOString() } : {}),
    ...(certificate === undefined ? {} : { certificate }),
    ...(refused ? { refused } : {}),
    next: state === 'ISSUED' ? `GET ${gatewayOrigin}/v1/participants/me with your certificate and key` : NEXT[state],
  };
}
