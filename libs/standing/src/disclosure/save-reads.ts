import { encodeBase64Url, type JsonObject } from '#evidence';
import { type FactPosition, formatId, Refusal } from '#kernel';
import { tellConsent } from '../consent/tell-consent.js';
import { type Happening, placeEvents } from '../event.js';
import { type Clerk, type Commitment, commitToJson } from '../notary.js';
import { type AllowedRead, digestOf, type JudgedReads } from './judge-reads.js';
import type { Disclosure, DisclosureBooks } from './store.js';

/** Facts, then all that they explain: uses and counts, what was told, and consents that are used up. Answers as the reads were judged. */
export async function saveReads(
  books: DisclosureBooks,
  { answers, counted, consumed, given }: JudgedReads,
  clerk: Clerk,
): Promise<(Disclosure | Refusal)[]> {
  const reads = answers.filter((one): one is AllowedRead => !(one instanceof Refusal));
  const commitments = reads.map((read) => commitToJson(clerk, contentOf(read)));
  const ended = consumed.map((change) => tellConsent(change, 'gateway', clerk));
  const [first, ...others] = [...reads.map((read, i) => readFact(read, commitments[i]!)), ...ended.map(({ happening }) => happening)];
  if (!first) return answers as Refusal[];
  const positions = await books.facts.append([first.fact, ...others.map(({ fact }) => fact)]);
  const kept = new Map(reads.map((read, i) => [read, keep(read, commitments[i]!, positions[i]!, clerk)]));
  const uses = reads.map(({ use }, i) => ({ use, position: positions[i]! }));
  await books.disclosures.save({ uses, counted, disclosures: [...kept.values()], answers: given });
  await books.consentLedger.saveVersions(ended.map(({ version }, i) => ({ ...version, position: positions[reads.length + i]! })));
  await books.standings.addEvents(placeEvents([first, ...others], positions, (at) => clerk.uuid(at)));
  return answers.map((one) => (one instanceof Refusal ? one : kept.get(one)!));
}

function keep({ use, request, known, content }: AllowedRead, { salt }: Commitment, { seq }: FactPosition, clerk: Clerk): Disclosure {
  const { consent, n, at, dataLifeSeconds } = use;
  return {
    consent: consent.id,
    n,
    subject: consent.subject,
    link: consent.link,
    participant: consent.participant,
    key: request.key,
    digest: digestOf(request, clerk),
    standingVersion: known.version,
    content,
    salt,
    at,
    keepUntil: new Date(at.getTime() + dataLifeSeconds * 1_000),
    factSeq: seq,
    seed: encodeBase64Url(clerk.salt()),
    ...('claims' in content ? { holderKey: request.holderKey } : {}),
  };
}

/** What the fact's commitment binds to. */
function contentOf({ use, known, content }: AllowedRead): JsonObject {
  const { consent, n, at } = use;
  const told = content as unknown as JsonObject;
  return { consent: formatId('cns', consent.id), n, at: at.toISOString(), standing: known.version.toString(), ...told };
}

/** One fact for each read: who, under what, what for. What was told stands in the commitment only. */
function readFact({ use, content }: AllowedRead, { commitment }: Commitment): Happening {
  const { consent, n } = use;
  const form = 'claims' in content ? 'CLAIMS' : 'THRESHOLD';
  const body = { consent: formatId('cns', consent.id), n, purpose: consent.terms.purpose, form, commitment };
  const { id, subject, participant } = consent;
  return { fact: { shard: id.shard, kind: 'rating.disclosed', subject: subject.uuid, participant, body }, notices: [] };
}
