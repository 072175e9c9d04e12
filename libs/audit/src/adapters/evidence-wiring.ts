import type { PgPresentedCertificates } from '#partners/adapters/pg-presented-certificates';
import type { Database } from '#platform';
import type { BatchFiles, BatchStore } from '#records';
import { GatherEvidence } from '../gather-evidence.js';
import type { InclusionProofs } from '../inclusion-proofs.js';
import { PgFactSource } from './pg-fact-source.js';
import { PgParticipantFacts } from './pg-participant-facts.js';

/** Evidence from the database and the hashes over sealed batches. */
export function createGatherEvidence(
  database: Database,
  proofs: InclusionProofs,
  chains: PgPresentedCertificates,
  batches: BatchStore,
  files: BatchFiles,
): GatherEvidence {
  const [facts, participants] = [new PgFactSource(database), new PgParticipantFacts(database)];
  return new GatherEvidence({ proofs, facts, participants, chains, batches, files });
}
