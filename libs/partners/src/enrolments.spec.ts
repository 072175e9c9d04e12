import { describe } from 'vitest';
import { enrolmentContract } from './testing/enrolment-contract.js';
import { MemoryParticipantStore } from './testing/memory-participant-store.js';

describe('enrolment in memory', () => {
  const store = new MemoryParticipantStore();
  enrolmentContract(
    () => ({ participants: store, enrolments: store }),
    (participant) => Promise.resolve(store.facts.filter((fact) => fact.participant === participant).map(({ kind }) => kind)),
  );
});
