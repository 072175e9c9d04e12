import { appendFacts, type Database, orLostReply } from '#platform';
import { SubjectViews } from '../subject-view.js';

/** Each batch of views is one PostgreSQL transaction that only appends facts. */
export function pgSubjectViews(database: Database): SubjectViews {
  return new SubjectViews((facts) => orLostReply(database.transaction((tx) => appendFacts(tx, facts))));
}
