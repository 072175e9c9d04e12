import { parseCreditRecord } from '#contract';
import { parseJsonStrict } from '#evidence';
import { Refusal } from '#kernel';
import { checkIssuer } from '../check-record.js';

/** Why no record can be made of a line, whatever else is known. */
export interface Fault {
  readonly code: string;
  readonly detail: string;
  readonly field?: string | undefined;
}

/** Lines that will be refused for what they are, seen while they came in: how many, and the first of them. */
export interface LineFaults {
  readonly count: number;
  readonly first: readonly (Fault & { readonly line: number })[];
}

export const faultsToldMax = 100;

/** The refusal that a line of a sealed batch will have for its own sake (`readSealedRecord`, `checkIssuer`); undefined where it is good so far. */
export function faultOf(line: Uint8Array, issuer: string): Fault | undefined {
  try {
    checkIssuer(parseCreditRecord(parseJsonStrict(line, 'record.malformed')), issuer);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return faultIn(error);
    throw error;
  }
}

/** A refusal as it is kept with its line: it may quote names that the line holds, and no text of PostgreSQL holds U+0000. */
export function faultIn({ code, detail, hints: { field } }: Refusal): Fault {
  return { code, detail: detail.replaceAll('\u0000', '\ufffd'), field: field?.replaceAll('\u0000', '\ufffd') };
}
