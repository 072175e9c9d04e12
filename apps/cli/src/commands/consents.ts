import type { Command } from 'commander';
import type { Consent, ConsentReader, KeptUse } from '#consents';
import { PgConsentReader } from '#consents/adapters/pg-consent-reader';
import { parseId, Refusal, type ShardedId } from '#kernel';
import { showHistoryOf, showSubjectConsent, showSubjectUse, type SubjectViews, unknownConsent } from '#standing';
import { pgSubjectViews } from '#standing/adapters/pg-subject-views';
import { onDatabase } from '../on-database.js';

const pageSize = 500;

/** Consents for operators and compliance: what subjects allowed, and who saw what. Subjects change them through their services alone; every look is a fact. */
export function register(program: Command): void {
  const consents = program.command('consents').description('consents: list, show, uses');
  consents
    .command('list <subject-or-participant>')
    .description('consents of a subject (sub_…) or of a bank, in every state, the newest first, as JSON lines')
    .action((whose: string) => atDesk((desk) => list(desk, whose)));
  consents
    .command('show <consent>')
    .description('every version of a consent: what it allowed, when it changed, by whom, with its fact, as JSON lines')
    .action((id: string) => atDesk((desk) => show(desk, id)));
  consents
    .command('uses <subject-or-consent>')
    .description('who saw what of a subject (sub_…), when, why, the newest first; or the reads under one consent (cns_…), as JSON lines')
    .action((whose: string) => atDesk((desk) => uses(desk, whose)));
}

async function list({ reader, views, isParticipant }: Desk, whose: string): Promise<void> {
  const at = new Date();
  const subject = whose.startsWith('sub_') ? await registered(reader, whose) : undefined;
  // No line at all would say that a mistyped bank has no consents.
  if (!subject && !(await isParticipant(whose))) {
    throw new Refusal('not_found', 'participant.unknown', `there is no participant ${whose}; a subject is named as sub_…`);
  }
  await views.note({ by: 'operator', what: subject ? 'consents.list' : 'consents.of_bank', subject });
  for await (const consent of whose.startsWith('sub_') ? ofSubject(reader, whose) : ofParticipant(reader, whose)) {
    console.log(JSON.stringify(showSubjectConsent(consent, at)));
  }
}

async function show({ reader, views }: Desk, text: string): Promise<void> {
  const { id, subject } = await get(reader, text);
  await views.note({ by: 'operator', what: 'consents.one', subject });
  const versions = pages(
    (after?: number) => reader.versions(id, { after, countMax: pageSize }),
    ({ version }) => version,
  );
  for await (const version of versions) console.log(JSON.stringify(showHistoryOf([version])[0]));
}

async function uses({ reader, views }: Desk, whose: string): Promise<void> {
  const ofAll = whose.startsWith('sub_');
  const subject = ofAll ? await registered(reader, whose) : (await get(reader, whose)).subject;
  await views.note({ by: 'operator', what: ofAll ? 'uses.list' : 'consents.uses', subject });
  for await (const use of whose.startsWith('sub_') ? usesOfSubject(reader, whose) : usesOf(reader, whose)) {
    console.log(JSON.stringify(showSubjectUse(use)));
  }
}

async function* ofSubject(reader: ConsentReader, text: string): AsyncGenerator<Consent> {
  const subject = parseId('sub', text);
  yield* pages(
    async (after?: string) => known(await reader.ofSubject(subject, { after, countMax: pageSize })),
    ({ id }) => id.uuid,
  );
}

function ofParticipant(reader: ConsentReader, participant: string): AsyncGenerator<Consent> {
  return pages(
    (after?: string) => reader.ofParticipant(participant, undefined, { after, countMax: pageSize }),
    ({ id }) => id.uuid,
  );
}

async function* usesOfSubject(reader: ConsentReader, text: string): AsyncGenerator<KeptUse> {
  const subject = parseId('sub', text);
  yield* pages(
    async (after?: bigint) => known(await reader.usesOfSubject(subject, { after, countMax: pageSize })),
    ({ factSeq }) => factSeq,
  );
}

async function* usesOf(reader: ConsentReader, text: string): AsyncGenerator<KeptUse> {
  const { id } = await get(reader, text);
  yield* pages(
    (after?: number) => reader.usesOf(id, { after, countMax: pageSize }),
    ({ n }) => n,
  );
}

/** Nothing is told of somebody who is not there, and nothing noted. */
async function registered(reader: ConsentReader, text: string): Promise<ShardedId> {
  const subject = parseId('sub', text);
  known(await reader.ofSubject(subject, { after: undefined, countMax: 1 }));
  return subject;
}

async function get(reader: ConsentReader, text: string): Promise<Consent> {
  const consent = await reader.find(parseId('cns', text));
  if (!consent) throw unknownConsent();
  return consent;
}

/** Page after page, so that a long list is never in memory at once. */
async function* pages<T, Cursor>(read: (after?: Cursor) => Promise<T[]>, cursorOf: (last: T) => Cursor): AsyncGenerator<T> {
  let page = await read();
  for (;;) {
    yield* page;
    if (page.length < pageSize) return;
    page = await read(cursorOf(page.at(-1)!));
  }
}

function known<T>(found: T | undefined): T {
  if (found !== undefined) return found;
  throw new Refusal('not_found', 'subject.unknown', 'there is no subject of this id');
}

interface Desk {
  readonly reader: ConsentReader;
  readonly views: SubjectViews;
  isParticipant(id: string): Promise<boolean>;
}

function atDesk(work: (desk: Desk) => Promise<void>): Promise<void> {
  return onDatabase((database) => {
    const isParticipant = async (id: string) => (await database.query('SELECT 1 FROM participants WHERE id = $1', [id])).length > 0;
    return work({ reader: new PgConsentReader(database), views: pgSubjectViews(database), isParticipant });
  });
}
