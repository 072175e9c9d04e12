import { type Clock, shardOf } from '#kernel';
import { statementReceived } from './facts.js';
import type { Reconciliation } from './reconciliation.js';
import type { NewReconciliation, ReconciliationStore } from './store.js';
import type { Survey } from './survey-statement.js';

/** A file that was read to its end without refusal and still stands somewhere, to be read again. */
export interface SurveyedFile {
  readonly survey: Survey;
  /** SHA-256 of the bytes, hex. */
  readonly digest: string;
  readonly sizeBytes: number;
  read(): AsyncIterable<Uint8Array>;
}

/** Takes a statement file in: once per participant and digest, however often it is sent. */
export class ReceiveStatement {
  constructor(
    private readonly store: ReconciliationStore,
    private readonly clock: Clock,
    private readonly newUuid: (at: Date) => string,
  ) {}

  async receive(participant: string, file: SurveyedFile): Promise<{ readonly reconciliation: Reconciliation; readonly repeated: boolean }> {
    const receivedAt = this.clock.now();
    const { statements, entries, lines } = file.survey;
    const incoming: NewReconciliation = {
      id: { shard: shardOf(participant), uuid: this.newUuid(receivedAt) },
      participant,
      digest: file.digest,
      sizeBytes: file.sizeBytes,
      receivedAt,
      statements,
      entries,
      linesTotal: lines,
    };
    return await this.store.receive(incoming, file.read(), [statementReceived(incoming)]);
  }
}
