import type { ExportFilter } from '#evidence';
import { Refusal, uuidV7 } from '#kernel';

export type ExportState = 'REQUESTED' | 'RUNNING' | 'DONE' | 'FAILED';

/** What an export shows, fixed when it first runs: from then on its bytes are a function of this. */
export interface ExportPlan {
  readonly start: bigint;
  readonly end: bigint;
  /** The signed note under which it stands. */
  readonly checkpoint: string;
}

export interface ExportProgress {
  readonly nextIndex: bigint;
  readonly entriesBytes: bigint;
  readonly included: bigint;
}

export interface Export extends ExportProgress {
  readonly id: string;
  /** An account's id or the name of a program; never a person's name, because the request is a fact. */
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly filter: ExportFilter;
  readonly state: ExportState;
  readonly plan: ExportPlan | undefined;
  /** Name below the exports folder, once it is done. */
  readonly file: string | undefined;
  readonly problem: string | undefined;
}

export type NewExport = Pick<Export, 'id' | 'requestedBy' | 'requestedAt' | 'filter'>;

export interface ExportStore {
  /** Saves the request with its fact, and which facts are committed by now: the export must cover them. */
  add(request: NewExport): Promise<void>;
  find(id: string): Promise<Export | undefined>;
  list(countMax: number): Promise<Export[]>;
  /** Ids that are neither done nor failed, oldest first. */
  outstanding(): Promise<string[]>;
  /** True once every fact committed before the request that its filter's time can name is published in the log. */
  isCovered(id: string): Promise<boolean>;
  /** Fixes the plan if none is fixed yet. */
  begin(id: string, plan: ExportPlan): Promise<Export>;
  saveProgress(id: string, progress: ExportProgress): Promise<void>;
  /** Takes the progress back to the start: the file it was about is gone. */
  restart(id: string): Promise<Export>;
  finish(id: string, file: string): Promise<void>;
  fail(id: string, problem: string): Promise<void>;
}

const RFC3339_MS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const kindsMax = 50;

/** Requests exports and tells how they are doing. */
export class Exports {
  constructor(private readonly store: ExportStore) {}

  /** @param random at least 10 unpredictable bytes. Refuses `export.filter_malformed`. */
  async request(filter: ExportFilter, requestedBy: string, at: Date, random: Uint8Array): Promise<string> {
    requireFilter(filter);
    const id = uuidV7(at.getTime(), random);
    await this.store.add({ id, requestedBy, requestedAt: at, filter });
    return id;
  }

  /** Refuses `export.unknown`. */
  async get(id: string): Promise<Export> {
    const found = await this.store.find(id);
    if (!found) throw new Refusal('not_found', 'export.unknown', 'there is no such export');
    return found;
  }

  list(countMax: number): Promise<Export[]> {
    return this.store.list(countMax);
  }

  outstanding(): Promise<string[]> {
    return this.store.outstanding();
  }
}

/** The half-open time of a calendar day in UTC. Refuses `export.filter_malformed`. */
export function dayFilter(day: string): { from: string; to: string } {
  const start = new Date(`${day}T00:00:00.000Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(start.getTime()) || !start.toISOString().startsWith(day)) {
    throw malformed('day', 'a day is written like 2026-11-21');
  }
  return { from: start.toISOString(), to: new Date(start.getTime() + 86_400_000).toISOString() };
}

function requireFilter(filter: ExportFilter): void {
  for (const field of ['from', 'to'] as const) {
    const value = filter[field];
    if (value !== undefined && !RFC3339_MS.test(value)) throw malformed(field, 'a time is written like 2026-11-21T00:00:00.000Z');
  }
  if (filter.from !== undefined && filter.to !== undefined && filter.from >= filter.to) throw malformed('to', '`to` must be after `from`');
  if (filter.kinds && (filter.kinds.length === 0 || filter.kinds.length > kindsMax)) throw malformed('kinds', `1 to ${kindsMax} kinds`);
}

const malformed = (field: string, detail: string) => new Refusal('malformed', 'export.filter_malformed', detail, { field });
