import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Config, pkiFolder } from '#platform';
import type { SampleCustomer } from './seed-customers.js';
import type { SigningKey } from '#sdk';

const CALLER = 'checkout';
const SCOPES =
  'decisions:evaluate decisions:reserve decisions:simulate allowances:issue standing:read subjects:write appeals:write consents:read consents:write disputes:read disputes:write';

/** Writes `try.env`: what a shell needs to be bank A and checkout. The token is minted when the file is read, because it lasts minutes. */
export function writeTryEnv(config: Config, customer: SampleCustomer, signingKey: SigningKey): void {
  const pki = path.resolve(pkiFolder(config));
  const bank = path.join(pki, 'clients', 'bank-a');
  const values: Record<string, string> = {
    TALLY_GATEWAY: config.GATEWAY_ORIGIN,
    ...(config.ENROLMENT_ORIGIN === undefined ? {} : { TALLY_ENROLMENT: config.ENROLMENT_ORIGIN }),
    TALLY_DECISIONS: `http://localhost:${config.DECISION_HTTP_PORT}`,
    TALLY_CALLER: CALLER,
    TALLY_ISSUER: config.GATEWAY_ORIGIN,
    TALLY_CA: path.join(pki, 'server', 'ca.pem'),
    TALLY_CERT: path.join(bank, 'cert.pem'),
    TALLY_KEY: path.join(bank, 'key.pem'),
    TALLY_SIGNING_KEY: path.join(bank, 'signing-key.pem'),
    TALLY_KID: signingKey.kid,
    TALLY_SUBJECT: customer.subject,
    TALLY_REF: customer.refs['bank-a']!,
  };
  const lines = Object.entries(values).map(([name, value]) => `export ${name}='${value}'`);
  const token = `export TALLY_TOKEN="$(TALLYSTICK_HOME='${path.resolve(config.TALLYSTICK_HOME)}' node '${path.resolve('apps/cli/bootstrap.mjs')}' token --caller ${CALLER} --scope '${SCOPES}')"`;
  writeFileSync(path.join(config.TALLYSTICK_HOME, 'try.env'), `${[...lines, token].join('\n')}\n`, { mode: 0o600 });
}
