import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { parseId, Refusal } from '#kernel';
import type { Participant } from '#partners';
import type { ReconciliationStore } from '#reconciliation';
import { RECONCILIATION_STORE } from '#reconciliation/adapters/reconciliation.module';
import { Caller } from './channel/caller.js';
import { viewPages, viewReconciliation } from './reconciliation-view.js';

const pageSizeDefault = 100;
const pageSizeMax = 1_000;
const PAGE_FIELDS = ['breaksAfter', 'matchesAfter', 'limit'];
const NUMBER_FORM = /^[0-9]{1,9}$/;

/** What became of a statement file, for the participant that filed it. */
@ApiTags('reconciliation')
@Controller('v1/reconciliations')
export class ReconciliationsController {
  constructor(@Inject(RECONCILIATION_STORE) private readonly store: ReconciliationStore) {}

  @Get(':id')
  @ApiOperation({
    summary: 'State, progress, counts, breaks and matches',
    description: 'Pages by breaksAfter, matchesAfter and limit (at most 1,000).',
  })
  async get(@Caller() caller: Participant, @Param('id') id: string, @Query() query: Record<string, unknown>): Promise<object> {
    const { breaksAfter, matchesAfter, limit } = parsePage(query);
    const found = await this.store.find(parseId('rec', id));
    // Another bank's reconciliation is as unknown as one that never was.
    if (found?.participant !== caller.id) throw new Refusal('not_found', 'reconciliation.unknown', 'you have no reconciliation of this id');
    const [breaks, matches] = await Promise.all([
      this.store.outcomes(found.id, 'breaks', breaksAfter, limit),
      this.store.outcomes(found.id, 'matches', matchesAfter, limit),
    ]);
    return { ...viewReconciliation(found), ...viewPages({ rows: breaks, pageSize: limit }, { rows: matches, pageSize: limit }) };
  }
}

function parsePage(query: Record<string, unknown>): { breaksAfter: number; matchesAfter: number; limit: number } {
  const unknown = Object.keys(query).find((name) => !PAGE_FIELDS.includes(name));
  if (unknown !== undefined)
    throw new Refusal('malformed', 'query.unknown_field', 'this query has a field that is not known', { field: unknown });
  const limit = readNumber(query, 'limit', pageSizeDefault);
  if (limit < 1 || limit > pageSizeMax) {
    throw new Refusal('malformed', 'query.malformed', 'limit must be 1 to 1,000', { field: 'limit', limit: `pageSizeMax=${pageSizeMax}` });
  }
  return { breaksAfter: readNumber(query, 'breaksAfter', 0), matchesAfter: readNumber(query, 'matchesAfter', 0), limit };
}

function readNumber(query: Record<string, unknown>, field: string, fallback: number): number {
  const text = query[field];
  if (text === undefined) return fallback;
  if (typeof text !== 'string' || !NUMBER_FORM.test(text))
    throw new Refusal('malformed', 'query.malformed', `${field} must be a number`, { field });
  return parseInt(text, 10);
}
