import type { Command } from 'commander';
import { parsePublicJwk } from '#evidence';
import { Refusal } from '#kernel';
import { type Participant, parseParticipantId } from '#partners';
import { parseTime } from '../parse-time.js';
import { readUserJson, withRegistry } from '../registry/open-registry.js';

const REASON = ['--reason <text>', 'why; it stands in the log', 'by the operator'] as const;

/** Participants' signing keys, and the state of the participant itself. */
export function register(program: Command): void {
  const keys = program.command('keys').description('participants and their signing keys: list, add, retire, mark compromised, activate');
  keys
    .command('list [participant]')
    .description('state, certificates and keys')
    .action((id?: string) =>
      withRegistry(async ({ store }) => {
        const all = await store.loadAll();
        const asked = id === undefined ? all : all.filter((one) => one.id === id);
        if (id !== undefined && asked.length === 0) throw new Refusal('not_found', 'participant.unknown', `there is no participant ${id}`);
        for (const participant of asked) print(participant);
      }),
    );
  keys
    .command('add <participant> <jwk-file>')
    .description('add a public signing key; the ones before stay good')
    .action((id: string, file: string) =>
      withRegistry(async ({ participants }) => {
        const key = parsePublicJwk(readUserJson(file));
        print(await participants.addKey(parseParticipantId(id), key));
        console.log(`Next: when the partner signs with ${key.kid} only, retire the old one: tallystick keys retire ${id} <kid>`);
      }),
    );
  keys
    .command('retire <participant> <kid>')
    .description('accept nothing more under this key')
    .action((id: string, kid: string) =>
      withRegistry(async ({ participants }) => print(await participants.retireKey(parseParticipantId(id), kid))),
    );
  keys
    .command('compromised <participant> <kid>')
    .description('the key is in wrong hands: accept nothing under it, ever')
    .option('--since <time>', 'since when it may have been, as in 2026-11-21T08:00:00Z; left out: since now')
    .action((id: string, kid: string, { since }: { since?: string }) =>
      withRegistry(async ({ participants }) => {
        const key = await participants.markCompromised(parseParticipantId(id), kid, since === undefined ? undefined : parseTime(since));
        print(key);
        console.log(
          'What it signed and we received since is under suspicion: the partner sees it in GET /v1/participants/me/keys/<kid>/suspect-records',
        );
      }),
    );
  keys
    .command('activate <participant>')
    .description('let an enrolled or suspended participant work')
    .option(...REASON)
    .action((id: string, { reason }: { reason: string }) =>
      withRegistry(async ({ participants }) => print(await participants.activate(parseParticipantId(id), reason))),
    );
}

function print({ id, name, state, certificates, keys }: Participant): void {
  console.log(`${id}  ${name}  ${state}`);
  for (const { serial, notAfter, revoked } of certificates) {
    console.log(
      `  certificate ${serial}  ${revoked ? `REVOKED (${revoked.reason})` : `good until ${notAfter.toISOString().slice(0, 10)}`}`,
    );
  }
  for (const { kid, alg, state: keyState } of keys) console.log(`  key ${kid}  ${alg}  ${keyState}`);
}
