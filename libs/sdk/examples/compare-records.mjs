// What does the gateway hold of our records, and is it the same as ours? Heals both sides and keeps what both signed.
// usage: node compare-records.mjs <file of JWS, one on each line> [--heal]
// Environment: TALLY_GATEWAY, TALLY_CA, TALLY_CERT, TALLY_KEY, TALLY_SIGNING_KEY, TALLY_KID (as in .tallystick/try.env).
import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { BankClient, RecordFile } from '@tallystick/sdk';

const { TALLY_GATEWAY: origin, TALLY_CA, TALLY_CERT, TALLY_KEY, TALLY_SIGNING_KEY, TALLY_KID: kid } = process.env;
const [ca, cert, key, signing] = [TALLY_CA, TALLY_CERT, TALLY_KEY, TALLY_SIGNING_KEY].map((file) => readFileSync(file, 'utf8'));
const client = new BankClient({ origin, ca, cert, key, signingKey: { kid, alg: 'EdDSA', privateKey: createPrivateKey(signing) } });

const records = await RecordFile.open(process.argv[2]);
// A bank that goes on sending names a time some minutes ago: { heal, before: Math.floor(Date.now() / 1000) - 300 }.
const result = await client.reconcileRecords(records, { heal: process.argv.includes('--heal') });
const { outcome, count, have, need, submitted, repeated, adopted, refused, agreement } = result;
console.log(`${outcome}: ${count} records; ${have.length} that only we had, ${need.length} that only the gateway had`);
console.log(`${submitted} submitted, ${repeated} were on their way, ${adopted} taken over`);
for (const { id, code, detail } of refused) console.log(`cannot be healed: ${id} ${code}: ${detail}`);
if (agreement) writeFileSync('statement.json', JSON.stringify(agreement));
await records.close();
await client.close();
// For a nightly job: anything but agreement is an error.
if (!agreement) process.exitCode = 1;
