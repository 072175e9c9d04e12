import type { Command } from 'commander';
import { shadowText } from '#decisions';
import { shadowDesk } from '#decisions/adapters/backtests';
import { policyLife } from '#policies/adapters/pg-policies';
import { onDatabase } from '../on-database.js';
import { BY, parseVersion, VERSION } from './policy-arguments.js';

interface ShadowOptions {
  readonly version: string;
  readonly json?: boolean;
}

/** Trying a draft beside the active version. */
export function registerShadow(policy: Command): void {
  policy
    .command('shadow')
    .description('let a draft decide beside the active version, without effect, until it is approved or retired')
    .requiredOption(...VERSION)
    .requiredOption(...BY)
    .action(({ version, by }: ShadowOptions & { readonly by: string }) =>
      onDatabase(async (database) => {
        const { id, state, shadowedAt } = await policyLife(database).shadow(parseVersion(version), by, new Date());
        console.log(`${id} ${version}  ${state} since ${shadowedAt!.toISOString()}`);
        console.log(`See what it would change:  tallystick policy shadow-report --version ${version}`);
      }),
    );
  policy
    .command('shadow-report')
    .description('what a version in shadow would have answered')
    .requiredOption(...VERSION)
    .option('--json', 'as JSON')
    .action(({ version, json }: ShadowOptions) =>
      onDatabase(async (database) => {
        const report = await shadowDesk(database).report(parseVersion(version));
        const plain = { ...report, version, behind: report.behind.toString() };
        console.log(json ? JSON.stringify(plain, undefined, 2) : shadowText(report));
      }),
    );
}
