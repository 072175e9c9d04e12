import { Group, Stack, Text } from '@mantine/core';
import type { ConsentView } from '../../../src/api.js';
import { Link } from '../api/router.js';
import { count, Id, StateBadge, Time } from '../parts/values.js';
import { lifeText, scopeText, wordsOf } from './consent-words.js';

const BY: Readonly<Record<ConsentView['by'], string>> = { RECIPIENT: 'the bank', SUBJECT: 'the subject', PLATFORM: 'the platform' };

/** One consent: who may read what, what for, how often, how long. */
export function ConsentArticle({ consent, isLinked = false }: { consent: ConsentView; isLinked?: boolean }) {
  const { id, subject, recipient, purpose, fetch, dataLifeSeconds, notBefore, expiresAt, state, version, by, uses, changedAt } = consent;
  const often = fetch.type === 'ONETIME' ? 'once' : `at most ${count(fetch.count ?? 0)} in a ${(fetch.every ?? '').toLowerCase()}`;
  return (
    <Stack gap={6} component="article" aria-label={`Consent ${id}`}>
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <Text fw={600}>{recipient}</Text>
          <Text size="sm">reads {scopeText(consent)}</Text>
          {isLinked ? <Link size="sm" to={`/consents?consent=${id}`}>{`${id.slice(0, 9)}…${id.slice(-6)}`}</Link> : <Id value={id} />}
        </Group>
        <StateBadge state={state} />
      </Group>
      <Text size="sm">
        For {wordsOf(purpose)}, {often}, kept {lifeText(dataLifeSeconds)}
      </Text>
      <Text size="xs" c="dimmed">
        From <Time at={notBefore} /> to <Time at={expiresAt} /> · version {version} by {BY[by]}, <Time at={changedAt} /> · read{' '}
        {count(uses)} {uses === 1 ? 'time' : 'times'}
      </Text>
      {!isLinked && (
        <Text size="sm">
          Subject <Id value={subject} to={`/decisions?id=${subject}`} />
        </Text>
      )}
    </Stack>
  );
}
