import { Button, Group, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useRef } from 'react';
import { useParams } from '../api/router.js';
import { Icon } from './icons.js';

const ID_LENGTH_MAX = 100;

interface IdSearchProps {
  readonly label: string;
  readonly description?: string;
  /** What an id looks like. */
  readonly example: string;
  /** What is shown now; empty: nothing. */
  readonly id: string;
  onSearch(id: string): void;
}

/** Asks for one id; "Back" asks for none. Give it `key={id}`, so that it follows the address. `/` goes to it from anywhere on the page. */
export function IdSearch({ label, description, example, id, onSearch }: IdSearchProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => focusOnSlash(input), []);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSearch(String(new FormData(event.currentTarget).get('id')).trim());
  };
  return (
    <form role="search" onSubmit={submit}>
      <Group gap="xs" align="flex-end">
        <TextInput
          ref={input}
          name="id"
          defaultValue={id}
          label={label}
          description={description}
          placeholder={example}
          leftSection={<Icon name="search" />}
          maxLength={ID_LENGTH_MAX}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          flex="1 1 300px"
        />
        <Button type="submit">Show</Button>
        {id !== '' && (
          <Button variant="default" onClick={() => onSearch('')}>
            Back
          </Button>
        )}
      </Group>
    </form>
  );
}

/** `/` goes to the search box, as in the tools that these people use all day. */
function focusOnSlash(input: { current: HTMLInputElement | null }): () => void {
  const onKey = (event: KeyboardEvent) => {
    const { target } = event;
    if (event.key !== '/' || (target instanceof HTMLElement && target.closest('input, select, textarea'))) return;
    event.preventDefault();
    input.current?.focus();
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}

/** The address names one thing of a kind, or a subject: what begins with `sub_` is a subject, whatever else is pasted is one of the kind. */
export function useIdOrSubject(kind: string): { id: string; subject: string; search: (text: string) => void } {
  const [params, change] = useParams();
  const search = (text: string) => {
    const isSubject = text.startsWith('sub_');
    change({ [kind]: isSubject ? '' : text, subject: isSubject ? text : '' });
  };
  return { id: params.get(kind) ?? '', subject: params.get('subject') ?? '', search };
}
