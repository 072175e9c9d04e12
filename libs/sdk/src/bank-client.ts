import { randomUUID } from 'node:crypto';
import { BankConsents } from './bank-consents.js';
import { BankDisputes } from './bank-disputes.js';
import { BankKeys } from './bank-keys.js';
import { BankWebhook } from './bank-webhook.js';
import { RecordBatches } from './batches/record-batches.js';
import type { GatewayBody } from './gateway-body.js';
import { type GatewayAnswer, GatewayClient, type GatewayClientOptions } from './gateway-client.js';
import type { LocalRecords } from './record-set/local-records.js';
import { type Reconciled, type ReconcileOptions, reconcileRecords } from './record-set/reconcile-records.js';
import { type RatingRead, type RatingWish, ratingPath, readRating } from './rating.js';
import type { KeySet } from './verify-offline.js';

export type BankClientOptions = GatewayClientOptions;

export interface Submission {
  /** The receipt, a JWS (`record-receipt+jwt`): keep it. */
  readonly receipt: string;
  /** True when the gateway already had this record and answered with the first receipt. */
  readonly repeated: boolean;
}

/** A record of ours: the names in it, when it was made and accepted (RFC 3339), and its exact bytes. */
export interface RecordView {
  readonly iss: string;
  readonly jti: string;
  readonly seq: number;
  readonly kind: string;
  /** Our reference of its subject. */
  readonly sub: string;
  /** The `jti` that a correction, withdrawal or clearance is about. */
  readonly names?: string;
  readonly issuedAt: string;
  readonly acceptedAt: string;
  /** SHA-256 of the payload, base64url. */
  readonly payloadDigest: string;
  /** Where it stands in the log's facts. */
  readonly fact: string;
  /** The JWS as it was sent; a line of a sealed batch has a `payload` (base64url) instead. */
  readonly jws?: string;
  readonly payload?: string;
  /** Its key was reported compromised since a time before it was accepted. */
  readonly suspect?: { readonly kid: string; readonly since: string };
}

/** What waits for us: signed event tokens (RFC 8417) by their `jti`. `moreAvailable`: acknowledge these and poll again. */
export interface EventPoll {
  readonly sets: Readonly<Record<string, string>>;
  readonly moreAvailable: boolean;
}

/** A partner bank's calls, one method each. Every call may be repeated safely; retries send the same bytes under a new signature. */
export class BankClient {
  /** Many records at once. */
  readonly batches: RecordBatches;
  /** What subjects allow us to read. */
  readonly consents: BankConsents;
  /** Disputes of our records. */
  readonly disputes: BankDisputes;
  /** Where our events are pushed to. */
  readonly webhook: BankWebhook;
  /** Our keys and certificates, and the gateway's next keys. */
  readonly rotation: BankKeys;
  private readonly gateway: GatewayClient;

  constructor(private readonly options: BankClientOptions) {
    this.gateway = new GatewayClient(options);
    this.batches = new RecordBatches(this.gateway);
    this.consents = new BankConsents(this.gateway);
    this.disputes = new BankDisputes(this.gateway);
    this.webhook = new BankWebhook(this.gateway);
    this.rotation = new BankKeys(this.gateway, options.origin);
  }

  /** Sends one signed record. Throws `ProblemError` with the gateway's stable code when it is refused. */
  async submitRecord(jws: string): Promise<Submission> {
    const answer = await this.post('/v1/records', jws, 'application/jose');
    return { receipt: (answer.json() as { receipt: string }).receipt, repeated: answer.headers['idempotency-hit'] === 'true' };
  }

  /** One of our records as the gateway keeps it, also after it was replaced. 404 `record.unknown`. */
  async record(jti: string): Promise<RecordView> {
    return (await this.get(`/v1/records/${jti}`)).json() as RecordView;
  }

  /** The receipt again; once sealed, with its log index and inclusion proof. */
  async receipt(jti: string): Promise<{ receipt: string; logIndex?: string; proof?: string }> {
    return (await this.get(`/v1/records/${jti}/receipt`)).json() as { receipt: string; logIndex?: string; proof?: string };
  }

  /** What proves the record years later, without the gateway: keep it as it is; `verifyEvidence` checks it. Complete some seconds after the record. */
  async evidence(jti: string): Promise<Uint8Array> {
    return (await this.get(`/v1/records/${jti}/evidence`)).body;
  }

  /**
   * Reads a rating as far as the consent allows; `verifyRating` checks what comes back. Sent under a key of its own, so a lost reply costs no read.
   * Throws `ProblemError`: 403 `consent.required`, 412 `consent.<attribute>`, 429 `consent.budget_exhausted`.
   */
  async rating(ref: string, consent: string, wish: RatingWish = {}): Promise<RatingRead> {
    const { idempotencyKey = randomUUID() } = wish;
    return readRating(await this.gateway.send({ method: 'GET', path: ratingPath(ref, consent, wish), idempotencyKey }));
  }

  /** The status list that a credential names, for `verifyRating`: by the address in it, at this gateway. */
  async statusList(uri: string): Promise<string> {
    return new TextDecoder().decode((await this.get(new URL(uri).pathname)).body);
  }

  /** The gateway's public keys (RFC 7517): keep them. `verifyRating`, `verifyConsent` and `EventReceiver` need nothing else of it. */
  async keys(): Promise<KeySet> {
    return { keys: await this.gateway.fetchKeys() };
  }

  /** RFC 8936: acknowledges `ack` and returns what is waiting. Ack only what you have stored. */
  async pollEvents(ack: readonly string[] = [], maxEvents = 100): Promise<EventPoll> {
    const body = JSON.stringify({ ack, maxEvents, returnImmediately: true });
    return (await this.post('/v1/events/poll', body, 'application/json')).json() as EventPoll;
  }

  /** Files a camt.053 statement; answers the reconciliation that will work on it. */
  async fileStatement(xml: string): Promise<{ id: string; state: string }> {
    return (await this.post('/v1/statements', xml, 'application/xml')).json() as { id: string; state: string };
  }

  /** What became of a statement that was filed: state, counts, breaks and matches, at most 100 of each. 404 `reconciliation.unknown`. */
  async reconciliation(id: string): Promise<Record<string, unknown>> {
    return (await this.get(`/v1/reconciliations/${id}`)).json() as Record<string, unknown>;
  }

  /** How the gateway sees us: state, certificates, keys, last `seq` and its gaps, quotas, and what is still `missing`. */
  async me(): Promise<Record<string, unknown>> {
    return (await this.get('/v1/participants/me')).json() as Record<string, unknown>;
  }

  /**
   * Compares our records with what the gateway holds of them and heals the differences where asked to; ends in a statement that both signed.
   * Throws where the other side lies or does not come to an end.
   */
  async reconcileRecords(local: LocalRecords, options?: ReconcileOptions): Promise<Reconciled> {
    const { id } = (await this.me()) as { id: string };
    const { origin, signingKey } = this.options;
    return await reconcileRecords({ gateway: this.gateway, participant: id, origin, signingKey }, local, options);
  }

  /** Ends its connections. Nothing can be called afterwards. */
  async close(): Promise<void> {
    await this.gateway.close();
  }

  private get(path: string): Promise<GatewayAnswer> {
    return this.gateway.send({ method: 'GET', path });
  }

  private post(path: string, body: GatewayBody, contentType: string): Promise<GatewayAnswer> {
    return this.gateway.send({ method: 'POST', path, body, contentType });
  }
}
