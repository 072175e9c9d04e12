import { Button, Group, TextInput } from '@mantine/core';
import type { FormEvent } from 'react';

const ID_LENGTH_MAX = 64;

interface IdSearchProps {
  readonly label: string;
  /** What an id looks like. */
  readonly example: string;
  /** What is shown now; empty: nothing. */
  readonly id: string;
  onSearch(id: string): void;
}

/** Asks for one id; "Back" asks for none. Give it `key={id}`, so that it follows the address. */
export function IdSearch({ label, example, id, onSearch }: IdSearchProps) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSearch(String(new FormData(event.currentTarget).get('id')).trim());
  };
  return (
    <form role="search" onSubmit={submit}>
      <Group gap="xs" wrap="nowrap" align="flex-end">
        <TextInput
          name="id"
          defaultValue={id}
          label={label}
          placeholder={example}
          maxLength={ID_LENGTH_MAX}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          flex={1}
          miw={0}
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
