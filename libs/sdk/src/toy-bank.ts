import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { uuidV7 } from '#kernel';
import { BankClient, type Submission } from './bank-client.js';
import { makeCertificateRequest } from './certificate-request.js';
import { enrolBank } from './enrol-bank.js';
import { signRecord, type SigningKey } from './record-signer.js';

export interface ToyBankPlace {
  /** The enrolment listener, the gateway, and the CA of both (PEM), as in `.tallystick/try.env`. */
  readonly enrolment: string;
  readonly gateway: string;
  readonly ca: string;
  /** `tallystick invite <id> --activate` prints one. */
  readonly invitation: string;
}

/** A day's validity is enough for a test. */
const lifeMs = 86_400_000;

/** A bank for your tests: it has keys of its own, enrols by itself and signs sample records. Its keys live in memory and end with it. */
export class ToyBank {
  private seq = Date.now() * 1_000;

  private constructor(
    readonly id: string,
    readonly client: BankClient,
    readonly signingKey: SigningKey,
  ) {}

  /** Throws what `enrolBank` throws. */
  static async enrol({ enrolment, gateway, ca, invitation }: ToyBankPlace): Promise<ToyBank> {
    const tls = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const { privateKey } = generateKeyPairSync('ed25519');
    const signingKey: SigningKey = { kid: `toy-${randomBytes(6).toString('hex')}`, alg: 'EdDSA', privateKey };
    const csr = makeCertificateRequest(tls, 'toy bank');
    const enrolled = await enrolBank({ origin: enrolment, ca, invitation, csr, signingKeys: [signingKey] });
    const key = tls.export({ type: 'pkcs8', format: 'pem' }) as string;
    return new ToyBank(
      enrolled.participant,
      new BankClient({ origin: gateway, ca, cert: enrolled.certificate, key, signingKey }),
      signingKey,
    );
  }

  /** The payload of a good rating of the subject that the bank knows as `sub`; `change` makes it another, or a bad one. */
  rating(sub: string, score = 700, change: object = {}): object {
    const at = Date.now();
    const rating = { score, scale: { min: 350, max: 950 }, band: 'A', factors: [], model: { id: 'toy', version: '1' } };
    const validity = { asOf: new Date(at).toISOString(), validUntil: new Date(at + lifeMs).toISOString() };
    const jti = uuidV7(at, randomBytes(10));
    return { iss: this.id, sub, jti, seq: ++this.seq, iat: Math.floor(at / 1_000), kind: 'rating', ...validity, rating, ...change };
  }

  /** Signed as it stands, also what no gateway takes. */
  async submit(payload: object): Promise<Submission> {
    return await this.client.submitRecord(await signRecord(payload, this.signingKey));
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}
