import { createHash } from 'node:crypto';
import type { Database } from '#platform';
import { PgPolicies } from '#policies/adapters/pg-policies';
import { PgPolicyBook } from '#policies/adapters/pg-policy-book';
import { Backtests } from '../history/backtests.js';
import { ShadowFollower } from '../history/follow-shadow.js';
import { BacktestRunner } from '../history/run-backtest.js';
import { Shadows } from '../history/shadows.js';
import { PgBacktests } from './pg-backtests.js';
import { PgDecisionHistory } from './pg-decision-history.js';
import { PgShadows } from './pg-shadows.js';

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex');

/** Asking for back-tests and reading them, on this database. */
export function backtestDesk(database: Database): Backtests {
  return new Backtests(new PgBacktests(database), new PgDecisionHistory(database), new PgPolicyBook(database), sha256Hex);
}

/** The work of back-tests on this database. */
export function backtestRunner(database: Database, history = new PgDecisionHistory(database)): BacktestRunner {
  const policies = new PgPolicies(database);
  return new BacktestRunner(new PgBacktests(database), history, policies, sha256Hex);
}

/** What is found by shadows on this database. */
export function shadowDesk(database: Database): Shadows {
  return new Shadows(new PgShadows(database), new PgPolicyBook(database));
}

export function shadowFollower(database: Database): ShadowFollower {
  return new ShadowFollower(new PgShadows(database), new PgDecisionHistory(database), new PgPolicies(database));
}
