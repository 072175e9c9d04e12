import { X509Certificate, createPrivateKey, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Authority, DAY_MS, makeCrl, type Revocation } from './authority.js';

const RENEW_BEFORE_MS = 7 * DAY_MS;
const CRL_REFRESH_MS = DAY_MS / 2;
const CRL_LIFE_MS = 7 * DAY_MS;

/**
 * A folder of certificates as the gateway reads it:
 * `server/{cert,key,ca}.pem`, `partners/<authority>.{ca,crl}.pem`; beside it what only issuing needs: `issuing/<authority>.{key.pem,revoked.json}`,
 * and `clients/<name>/{cert,key}.pem`. Files are 0600, folders 0700, and every file is whole or not there.
 */
export class PkiFolder {
  constructor(
    readonly folder: string,
    readonly now: Date,
  ) {}

  read(name: string): string | undefined {
    const file = path.join(this.folder, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }

  write(name: string, content: string | Uint8Array): void {
    const file = path.join(this.folder, name);
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const draft = `${file}.${randomUUID()}`;
    writeFileSync(draft, content, { mode: 0o600, flag: 'wx' });
    renameSync(draft, file);
  }

  /** The authority as it stands, or a new one where there is none or it expires within seven days. */
  async authority(name: string, place: 'partners' | 'issuing', make: () => Authority | Promise<Authority>): Promise<Authority> {
    const certificate = this.read(`${place}/${name}.ca.pem`);
    const key = this.read(`issuing/${name}.key.pem`);
    if (certificate && key && this.lasts(certificate)) return { certificate, key };
    const fresh = await make();
    this.write(`issuing/${name}.key.pem`, fresh.key);
    this.write(`${place}/${name}.ca.pem`, fresh.certificate);
    return fresh;
  }

  /** True where the pair is there, belongs together, was issued by this authority and lasts; `expired` is let be. */
  holds(name: string, authority: Authority, expired = false): boolean {
    const certificate = this.read(`${name}/cert.pem`);
    const key = this.read(`${name}/key.pem`);
    if (!certificate || !key) return false;
    const leaf = new X509Certificate(certificate);
    const issued = leaf.verify(new X509Certificate(authority.certificate).publicKey) && leaf.checkPrivateKey(createPrivateKey(key));
    return issued && (expired || this.lasts(certificate));
  }

  revocations(authority: string): Revocation[] {
    return JSON.parse(this.read(`issuing/${authority}.revoked.json`) ?? '[]') as Revocation[];
  }

  async revoke(name: string, authority: Authority, serial: string): Promise<void> {
    const known = this.revocations(name);
    if (known.some((revocation) => revocation.serial === serial)) return;
    this.write(`issuing/${name}.revoked.json`, JSON.stringify([...known, { serial, at: this.now.toISOString() }], null, 2));
    await this.renewCrl(name, authority);
  }

  /** A new CRL where there is none, it is older than twelve hours, or another authority of this name signed it. */
  async keepCrlFresh(name: string, authority: Authority): Promise<void> {
    const mark = this.read(`issuing/${name}.crl.json`);
    const made = mark ? (JSON.parse(mark) as { at: string; authority: string }) : undefined;
    const age = made ? this.now.getTime() - new Date(made.at).getTime() : Number.POSITIVE_INFINITY;
    const current = made?.authority === new X509Certificate(authority.certificate).fingerprint256 && this.read(`partners/${name}.crl.pem`);
    if (!current || age > CRL_REFRESH_MS || age < 0) await this.renewCrl(name, authority);
  }

  private async renewCrl(name: string, authority: Authority): Promise<void> {
    const thisUpdate = new Date(this.now.getTime() - 60_000);
    const nextUpdate = new Date(this.now.getTime() + CRL_LIFE_MS);
    this.write(`partners/${name}.crl.pem`, await makeCrl(authority, this.revocations(name), thisUpdate, nextUpdate));
    const mark = { at: this.now.toISOString(), authority: new X509Certificate(authority.certificate).fingerprint256 };
    this.write(`issuing/${name}.crl.json`, JSON.stringify(mark));
  }

  private lasts(certificate: string): boolean {
    return new Date(new X509Certificate(certificate).validTo).getTime() - this.now.getTime() > RENEW_BEFORE_MS;
  }
}

/** The serial as CRLs, certificates and the registry spell it: lower-case hexadecimal without leading zeros. */
export function serialOf(certificate: string): string {
  return new X509Certificate(certificate).serialNumber.toLowerCase().replace(/^0+(?=.)/, '');
}
