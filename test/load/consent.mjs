// npm run bench consent: what reading, hearing and comparing cost. Each scenario stands in a file of its own and brings its world.
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * Each module exports `measure({ seconds, rounds, perSecond })`: rows with a name and what was measured, `bar` where there is one, and `met`.
 * `perSecond`: another load than the bar's, where a scenario offers one.
 */
const SCENARIOS = { rating: './consent-rating.mjs', events: './consent-events.mjs', sameness: './consent-sameness.mjs' };

export async function run(args) {
  const options = {
    ...{ seconds: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' }, only: { type: 'string' } },
    'per-second': { type: 'string' },
  };
  const { values } = parseArgs({ args, options });
  const names = values.only ? values.only.split(',') : Object.keys(SCENARIOS);
  const rows = [];
  for (const name of names) {
    const { measure } = await import(SCENARIOS[name]);
    const perSecond = values['per-second'] && Number(values['per-second']);
    rows.push(...(await measure({ seconds: Number(values.seconds), rounds: Number(values.rounds), perSecond })));
  }
  console.table(Object.fromEntries(rows.map(({ name, ...row }) => [name, row])));
  mkdirSync('test/load/results', { recursive: true });
  writeFileSync('test/load/results/consent.json', `${JSON.stringify(rows, null, 2)}\n`);
  for (const { name, bar } of rows.filter(({ met }) => met === false)) {
    console.error(`${name} is below the bar of ${bar}`);
    process.exitCode = 1;
  }
}
