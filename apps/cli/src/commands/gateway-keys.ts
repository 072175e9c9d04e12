import type { Command } from 'commander';
import { Refusal } from '#kernel';
import { GATEWAY_KEY_USES, type GatewayKeyUse, type Participant } from '#partners';
import { announceNextSigner, type Config, findNextSigner, loadSigner, switchToNextSigner } from '#platform';
import { withRegistry } from '../registry/open-registry.js';

/** Our own keys towards partners: announced, proved by each partner, then switched to. */
export function register(program: Command): void {
  const keys = program.command('gateway-keys').description('the gateway’s own signing keys: status, announce, switch');
  keys
    .command('status')
    .description('current and announced keys, and who has proved that it verifies the announced one')
    .action(() =>
      withRegistry(async ({ config, store }) => {
        const working = await workingPartners(store);
        for (const use of GATEWAY_KEY_USES) for (const line of statusLines(config, use, working)) console.log(line);
      }),
    );
  keys
    .command('announce <use>')
    .description(`publish the next key (${GATEWAY_KEY_USES.join(' or ')}); it is used towards each partner that has proved it`)
    .action((text: string) =>
      withRegistry(async ({ config, participants, store }) => {
        const use = parseUse(text);
        const { kid } = announceNextSigner(config, use);
        for (const { id } of await workingPartners(store)) await participants.tellGatewayKey(id, 'gateway_key.announced', { kid, use });
        console.log(`${kid} is announced; running gateways publish it within a second.`);
        console.log('Next: partners see gateway_key.unproved in GET /v1/participants/me. Who is missing: tallystick gateway-keys status');
      }),
    );
  keys
    .command('switch <use>')
    .description('use the announced key towards everybody; the old one stays published for what it signed')
    .option('--force', 'also while partners have not proved it: they cannot verify our answers then')
    .option('--compromised', 'the old key is in wrong hands: it is published no more, and every partner hears it')
    .action((text: string, { force, compromised = false }: { force?: true; compromised?: boolean }) =>
      withRegistry(async ({ config, participants, store }) => {
        const use = parseUse(text);
        const working = await workingPartners(store);
        const missing = unproved(findNextSigner(config, use)?.kid, working);
        if (missing.length > 0 && !force) {
          throw new Refusal('conflict', 'gateway_key.unproved', `not proved by ${missing.join(', ')}: ask them, or add --force`);
        }
        const next = findNextSigner(config, use)?.kid;
        const told = { kid: loadSigner(config, use).kid, use, ...(next === undefined ? {} : { next }) };
        // Told first: whoever runs this again after a crash tells it again, and nobody is left out.
        const news = compromised ? 'gateway_key.compromised' : 'gateway_key.replaced';
        for (const { id } of next === undefined ? [] : working) await participants.tellGatewayKey(id, news, told);
        console.log(`${switchToNextSigner(config, use, compromised).kid} is the ${use} key now.`);
      }),
    );
}

/** Refuses `gateway_key.use`. */
function parseUse(text: string): GatewayKeyUse {
  const use = GATEWAY_KEY_USES.find((one) => one === text);
  if (use) return use;
  throw new Refusal('malformed', 'gateway_key.use', `say ${GATEWAY_KEY_USES.join(' or ')}`);
}

async function workingPartners(store: { loadAll(): Promise<readonly Participant[]> }): Promise<Participant[]> {
  return (await store.loadAll()).filter(({ state }) => state === 'ACTIVE' || state === 'SUSPENDED');
}

function unproved(kid: string | undefined, working: readonly Participant[]): string[] {
  return kid === undefined ? [] : working.filter(({ provedGatewayKeys }) => !provedGatewayKeys.includes(kid)).map(({ id }) => id);
}

function statusLines(config: Config, use: GatewayKeyUse, working: readonly Participant[]): string[] {
  const next = findNextSigner(config, use)?.kid;
  const lines = [`${use}  ${loadSigner(config, use).kid}  ACTIVE`];
  if (next === undefined) return lines;
  const missing = unproved(next, working);
  const rest = missing.length === 0 ? 'proved by everybody' : `not yet proved by ${missing.join(', ')}`;
  return [...lines, `${use}  ${next}  ANNOUNCED, ${rest}`];
}
