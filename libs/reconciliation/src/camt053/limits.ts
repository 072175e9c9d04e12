/** How much of a statement file is read before it is refused. The bytes themselves are limited at the door. */
export interface Camt053Limits {
  readonly elementDepthMax: number;
  readonly valueCharsMax: number;
  readonly statementsMax: number;
  readonly balancesPerStatementMax: number;
  readonly entriesMax: number;
  readonly detailsMax: number;
}

export const CAMT053_LIMITS: Camt053Limits = {
  elementDepthMax: 32,
  valueCharsMax: 2_000,
  statementsMax: 1_000,
  balancesPerStatementMax: 200,
  entriesMax: 250_000,
  detailsMax: 500_000,
};
