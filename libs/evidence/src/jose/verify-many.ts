import type { KeyObject, VerifyKeyObjectInput } from 'node:crypto';
import { Refusal, type Verified } from '#kernel';
import { ALGORITHMS } from './algorithms.js';
import { checkHeader, type CompactJws, type JwsHeader, parseCompactJws, parseHeader } from './compact-jws.js';
import { invalidSignature, refuseUnsigned } from './jws-refusals.js';
import type { VerificationKey } from './keys.js';
import { type JsonObject, parseJsonStrict } from './strict-json.js';
import { markVerified } from './verified.js';
import { checkKey, type SignedJson } from './verify-jws.js';

/** What `verify` of node:crypto is called with. Checks under one key share one `how`. */
export interface SignatureCheck {
  readonly how: CheckKind;
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
}

export interface CheckKind {
  readonly hash: 'sha256' | null;
  readonly key: KeyObject | VerifyKeyObjectInput;
}

/** Checks signatures wherever there is time for it; answers in the order asked. */
export type CheckMany = (checks: readonly SignatureCheck[]) => Promise<ArrayLike<boolean>>;

/**
 * Verifies many JWS of one sender, each as `verifyJws` does: a line gets the refusal that it would have had alone. `findKey` is asked once for
 * each key that is named.
 */
export async function verifyMany(
  received: readonly Uint8Array[],
  typ: string,
  findKey: (kid: string) => VerificationKey | undefined,
  check: CheckMany,
): Promise<(Verified<SignedJson> | Refusal)[]> {
  const opener = new JwsOpener(typ, findKey);
  const opened = received.map((one) => orRefusal(() => opener.open(one)));
  const toCheck = opened.flatMap((one) => (one instanceof Refusal ? [] : one));
  const good = await check(
    toCheck.map(({ how, header, jws: { signingInput, signature } }) => ({
      how,
      data: signingInput,
      signature: ALGORITHMS[header.alg].encoded(signature),
    })),
  );
  let nth = 0;
  return opened.map((one, i) => {
    if (one instanceof Refusal) return one;
    return good[nth++] ? orRefusal(() => read(one, received[i]!)) : invalidSignature(one.header);
  });
}

interface OpenedJws {
  readonly jws: CompactJws;
  readonly header: JwsHeader;
  readonly how: CheckKind;
}

/** Many lines share few headers: each is read, checked and its key looked up once. What is refused is looked at again every time. */
class JwsOpener {
  private readonly headers = new Map<string, JsonObject>();
  private readonly usable = new Map<JsonObject, Pick<OpenedJws, 'header' | 'how'>>();

  constructor(
    private readonly typ: string,
    private readonly findKey: (kid: string) => VerificationKey | undefined,
  ) {}

  open(received: Uint8Array): OpenedJws {
    const jws = parseCompactJws(received, (part) => this.readHeader(part));
    const usable = this.usable.get(jws.header) ?? this.check(jws.header);
    refuseUnsigned(jws);
    return { jws, ...usable };
  }

  private readHeader(part: string): JsonObject {
    const known = this.headers.get(part) ?? parseHeader(part);
    this.headers.set(part, known);
    return known;
  }

  private check(claimed: JsonObject): Pick<OpenedJws, 'header' | 'how'> {
    const header = checkHeader(claimed, this.typ);
    const key = checkKey(header, this.findKey(header.kid));
    const usable = { header, how: { hash: ALGORITHMS[header.alg].hash, key: ALGORITHMS[header.alg].how(key) } };
    this.usable.set(claimed, usable);
    return usable;
  }
}

function read({ header, jws: { payload } }: OpenedJws, received: Uint8Array): Verified<SignedJson> {
  return markVerified({ header, payload: parseJsonStrict(payload), payloadBytes: payload }, received);
}

function orRefusal<T>(read: () => T): T | Refusal {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}
