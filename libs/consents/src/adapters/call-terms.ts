import type { Config } from '#platform';
import type { CallTerms } from '../call-budget.js';
import { LocalPeriods } from '../local-periods.js';

/** The operator's ceilings on reads under consents, as configured. */
export function callTerms(
  config: Pick<Config, 'CONSENT_CALLS_PER_DAY_MAX' | 'CONSENT_CALLS_PER_MONTH_MAX' | 'CONSENT_TIME_ZONE'>,
): CallTerms {
  return {
    callsPerDayMax: config.CONSENT_CALLS_PER_DAY_MAX,
    callsPerMonthMax: config.CONSENT_CALLS_PER_MONTH_MAX,
    calendar: new LocalPeriods(config.CONSENT_TIME_ZONE),
  };
}
