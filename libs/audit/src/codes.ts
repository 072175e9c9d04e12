/** Alarms and refusals of the log. Each stops what it names until an operator has looked. */
export const LOG_CODES = {
  gap: 'log.gap',
  rolledBack: 'log.rolled_back',
  forked: 'log.forked',
  anchorInvalid: 'log.anchor_invalid',
  anchorMissing: 'log.anchor_missing',
  factAltered: 'log.fact_altered',
} as const;
