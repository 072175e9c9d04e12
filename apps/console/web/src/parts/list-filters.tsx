import { Group, NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useParams } from '../api/router.js';

const typingMs = 400;

interface Field {
  /** Its name in the address, and in the query of the API. */
  readonly name: string;
  readonly label: string;
  /** What it says when nothing is picked out, such as `Every bank`. */
  readonly all: string;
}

interface ListFiltersProps {
  readonly choice: Field & { readonly options: readonly (string | { readonly value: string; readonly label: string })[] };
  readonly text: Field;
}

/** A choice and a text that narrow a list. They stand in the address; the text follows when the typing rests. */
export function ListFilters({ choice, text }: ListFiltersProps) {
  const [params, change] = useParams();
  const setText = useDebouncedCallback((typed: string) => change({ [text.name]: typed }, true), typingMs);
  return (
    <Group gap="xs">
      <NativeSelect
        aria-label={choice.label}
        value={params.get(choice.name) ?? ''}
        data={[{ value: '', label: choice.all }, ...choice.options]}
        onChange={(event) => change({ [choice.name]: event.currentTarget.value }, true)}
      />
      <TextInput
        aria-label={text.label}
        placeholder={text.all}
        defaultValue={params.get(text.name) ?? ''}
        maxLength={60}
        w={150}
        onChange={(event) => setText(event.currentTarget.value.trim())}
      />
    </Group>
  );
}
