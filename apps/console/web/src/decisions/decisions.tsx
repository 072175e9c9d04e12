import { Button, Group, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useRef } from 'react';
import type { SignedInStaff } from '../../../src/api.js';
import { useParams } from '../api/router.js';
import { Icon } from '../parts/icons.js';
import { PageHead } from '../parts/page.js';
import { DecisionList } from './decision-list.js';
import { Trace } from './trace.js';

export default function Decisions({ staff }: { staff: SignedInStaff }) {
  const [params, change] = useParams();
  const id = params.get('id') ?? '';
  return (
    <>
      <PageHead title="Decisions" about="Paste any id and see how it came about: record, score, decision, reservation, statement line." />
      <Stack gap="lg">
        <Search key={id} id={id} onSearch={(next) => change({ id: next })} />
        {id === '' ? <DecisionList /> : <Trace id={id} staff={staff} onClose={() => change({ id: undefined })} />}
      </Stack>
    </>
  );
}

function Search({ id, onSearch }: { id: string; onSearch: (id: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => focusOnSlash(input), []);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSearch(String(new FormData(event.currentTarget).get('id')).trim());
  };
  return (
    <form role="search" onSubmit={submit}>
      <Group gap="xs" wrap="nowrap" align="flex-end">
        <TextInput
          ref={input}
          name="id"
          defaultValue={id}
          label="Paste any id"
          description="Decision, reservation, record, payment reference, subject, consent, dispute, fact, statement or reconciliation"
          placeholder="dec_… rsv_… sub_… fct_… or a payment reference"
          leftSection={<Icon name="search" />}
          maxLength={100}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          size="md"
          flex={1}
          miw={0}
        />
        <Button type="submit" size="md">
          Trace
        </Button>
      </Group>
    </form>
  );
}

/** `/` goes to the search box, as in the tools that these people use all day. */
function focusOnSlash(input: { current: HTMLInputElement | null }): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== '/' || event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
    event.preventDefault();
    input.current?.focus();
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}
