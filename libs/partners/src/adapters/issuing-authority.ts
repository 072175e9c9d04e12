import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Config, ConfigError, pkiFolder } from '#platform';
import { readIssuedCertificate } from '#platform/adapters/mtls-authority';
import type { Issuer } from '../issue-certificates.js';

/** A certificate authority's own certificate and private key, PEM. */
export interface IssuingAuthority {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a participant's certificate (PEM) for its CSR; refuses `csr.*`. */
export type IssueForCsr = (authority: IssuingAuthority, csr: string, participant: string, at: Date) => Promise<string>;

type IssuerSettings = Pick<Config, 'TALLYSTICK_ENV' | 'TALLYSTICK_HOME' | 'PKI_DIR' | 'ISSUER_CERTIFICATE_FILE' | 'ISSUER_KEY_FILE'>;

/**
 * The authority of ISSUER_CERTIFICATE_FILE and ISSUER_KEY_FILE, else, outside production, the development one of the PKI folder; undefined:
 * nothing is issued here. Throws `ConfigError` where a file is missing or everybody can read the key.
 */
export function findIssuingAuthority(config: IssuerSettings): IssuingAuthority | undefined {
  const { ISSUER_CERTIFICATE_FILE: certificate, ISSUER_KEY_FILE: key } = config;
  if (certificate !== undefined && key !== undefined) return read(certificate, key);
  if (certificate !== undefined || key !== undefined) {
    throw new ConfigError('ISSUER_CERTIFICATE_FILE and ISSUER_KEY_FILE belong together: set both or none');
  }
  if (config.TALLYSTICK_ENV === 'production') return undefined;
  const [ca, caKey] = ['partners/development-ec.ca.pem', 'issuing/development-ec.key.pem'].map((name) =>
    path.join(pkiFolder(config), name),
  );
  return existsSync(ca!) && existsSync(caKey!) ? read(ca!, caKey!) : undefined;
}

/** What the issuer's desk needs: the chain that is handed out, and what the registry keeps of it. */
export function createIssuer(authority: IssuingAuthority, issue: IssueForCsr): Issuer {
  return {
    issue: async ({ csr, participant }, at) => {
      const leaf = await issue(authority, csr, participant, at);
      return { chain: leaf + authority.certificate, certificate: readIssuedCertificate(leaf, authority.certificate) };
    },
  };
}

function read(certificate: string, key: string): IssuingAuthority {
  for (const file of [certificate, key]) if (!existsSync(file)) throw new ConfigError(`ISSUER_*_FILE: there is no ${file}`);
  if (process.platform !== 'win32' && (statSync(key).mode & 0o007) !== 0) {
    throw new ConfigError(`ISSUER_KEY_FILE: ${key} can be read by everybody on this machine; run chmod 600 on it`);
  }
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
}
