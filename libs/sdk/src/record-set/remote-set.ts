import { encodeBase64Url } from '#evidence';
import { Refusal } from '#kernel';
import type { GatewayClient } from '../gateway-client.js';
import type { GivenRecord } from './local-records.js';
import { readLine } from './record-line.js';

/** A snapshot of the set at the gateway. */
export interface RemoteSnapshot {
  readonly set: string;
  readonly logIndex: string;
  readonly before?: number;
  readonly count: number;
}

interface WireRecord {
  readonly id: string;
  readonly jti: string;
  readonly jws?: string;
  readonly payload?: string;
}

/** The longest message that the gateway takes or gives, and what its other answers may come to. */
export const messageBytesMax = 256 * 1024;
const answerBytesMax = 8 * 1024 * 1024;
export const idsPerCallMax = 256;
/** How long a call is repeated while it is refused as too much: budgets are counted by the minute. */
const patienceMs = 90_000;

/** The gateway's side of a set, call by call. */
export class RemoteSet {
  constructor(
    private readonly gateway: Pick<GatewayClient, 'send'>,
    private readonly set: string,
    readonly before: number | undefined,
  ) {}

  async look(): Promise<RemoteSnapshot> {
    const query = this.before === undefined ? '' : `?before=${this.before}`;
    const answer = await this.gateway.send({ method: 'GET', path: `${this.path}${query}`, answerBytesMax });
    return answer.json() as RemoteSnapshot;
  }

  async exchange(logIndex: string, message: Uint8Array): Promise<Uint8Array> {
    const query = `?logIndex=${logIndex}${this.before === undefined ? '' : `&before=${this.before}`}`;
    const call = {
      method: 'POST',
      path: `${this.path}/reconcile${query}`,
      body: message,
      contentType: 'application/octet-stream',
    } as const;
    return (await this.gateway.send({ ...call, patienceMs, answerBytesMax: messageBytesMax })).body;
  }

  /** The records with these ids, at most 256. Refuses 422 `reconcile.false_record` where one is not what it is called. */
  async records(ids: readonly string[]): Promise<{ records: GivenRecord[]; unknown: readonly string[] }> {
    const { records, unknown } = await this.post<{ records: WireRecord[]; unknown: string[] }>(
      'records',
      JSON.stringify({ ids }),
      'application/json',
    );
    const asked = new Set(ids);
    return { records: records.map((record) => checked(record, asked)), unknown: unknown.filter((id) => asked.has(id)) };
  }

  async state(jws: string): Promise<unknown> {
    return await this.post('statements', jws, 'application/jose');
  }

  private get path(): string {
    return `/v1/record-sets/${this.set}`;
  }

  private async post<T>(call: string, body: string, contentType: string): Promise<T> {
    const path = `${this.path}/${call}`;
    return (await this.gateway.send({ method: 'POST', path, body, contentType, patienceMs, answerBytesMax })).json() as T;
  }
}

/** The other side may lie: what it gives must be what was asked for, byte by byte. */
function checked({ id, jti, jws, payload }: WireRecord, asked: ReadonlySet<string>): GivenRecord {
  const line = jws ?? Buffer.from(payload ?? '', 'base64url').toString('utf8');
  const read = readLine(line);
  if (asked.has(id) && encodeBase64Url(read.id) === id) return { id, jti, iat: read.iat, line };
  throw new Refusal('unprocessable', 'reconcile.false_record', `what was given as ${id} is another record`);
}
