import { createHash, createPublicKey } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { ProblemError } from './problem-error.js';
import { signCompact, type SigningKey } from './record-signer.js';

export interface EnrolmentWish {
  /** Scheme, host and port of the enrolment listener, such as `https://localhost:7444`. */
  readonly origin: string;
  /** PEM: the CA of its server certificate. */
  readonly ca: string;
  /** Single-use; whoever has it can enrol as you. */
  readonly invitation: string;
  /** PKCS#10 in PEM, for the key that will open connections. */
  readonly csr: string;
  /** Their public halves are sent, and a proof by each. */
  readonly signingKeys: readonly SigningKey[];
  /** From where you will call (CIDR); left out: from anywhere. */
  readonly addresses?: readonly string[];
  readonly patienceMs?: number;
}

export interface Enrolled {
  /** Who you are at the gateway. */
  readonly participant: string;
  /** The leaf and then its authority, PEM. */
  readonly certificate: string;
}

interface RequestView {
  readonly id: string;
  readonly participant: string;
  readonly state: 'REQUESTED' | 'ISSUED' | 'REFUSED';
  readonly certificate?: string;
  readonly refused?: { readonly code: string; readonly detail: string };
}

const patienceMsDefault = 60_000;
const waitMs = 1_000;

/**
 * Enrols by an invitation and waits for the certificate. The same wish again gives the same answer, so call it again after a crash, with the same
 * keys. Throws `ProblemError`: 401 `invitation.invalid`, 422 `csr.*` and `key.*`, 409 `enrolment.conflict` where the invitation was used otherwise.
 */
export async function enrolBank(wish: EnrolmentWish): Promise<Enrolled> {
  const agent = new Agent({ connect: { ca: wish.ca } });
  try {
    const untilMs = performance.now() + (wish.patienceMs ?? patienceMsDefault);
    let view = await call(agent, wish, 'POST', '/enrolments', await formOf(wish));
    while (view.state === 'REQUESTED' && performance.now() + waitMs < untilMs) {
      await delay(waitMs);
      view = await call(agent, wish, 'GET', `/enrolments/${view.id}`);
    }
    const { state, participant, certificate, refused } = view;
    if (state === 'ISSUED') return { participant, certificate: certificate! };
    throw new ProblemError(state === 'REFUSED' ? 422 : 503, refused ?? { code: 'enrolment.pending', detail: 'nobody has issued it yet' });
  } finally {
    await agent.close();
  }
}

/** Each key proves itself over the invitation and the request that it came with. */
async function formOf({ csr, invitation, signingKeys, addresses }: EnrolmentWish): Promise<object> {
  const base64 = csr.replace(/-----[A-Z ]+-----|\s/g, '');
  const claims = { invitation: digest(invitation), csr: digest(Buffer.from(base64, 'base64')) };
  const keys = signingKeys.map(({ kid, alg, privateKey }) => ({ ...createPublicKey(privateKey).export({ format: 'jwk' }), kid, alg }));
  const proofs = await Promise.all(signingKeys.map((key) => signCompact('key-proof+jwt', claims, key)));
  return { csr, jwks: { keys }, proofs, ...(addresses === undefined ? {} : { addresses }) };
}

async function call(agent: Agent, wish: EnrolmentWish, method: 'GET' | 'POST', path: string, body?: object): Promise<RequestView> {
  const headers = { authorization: `Bearer ${wish.invitation}`, ...(body ? { 'content-type': 'application/json' } : {}) };
  const answer = await request(wish.origin + path, { method, dispatcher: agent, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  const told = await answer.body.json();
  if (answer.statusCode >= 400) throw new ProblemError(answer.statusCode, told);
  return told as RequestView;
}

function digest(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('base64url');
}
